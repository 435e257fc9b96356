"""The local model: what both doors share: faults, script, prompt cache and the log of calls.

Chooses and finishes an answer: tool results, a tool call, extracted facts, a filled schema, or chat.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from localstack.model import chat, observer
from localstack.model.filler import drop_share, fill
from localstack.model.prompt_cache import PromptCache, PromptCacheUse, segments_of
from localstack.model.requests import Block, MessagesRequest, text_of
from localstack.model.scripting import MARKER, AnswerScript, CallLog, Fault, Faults, ScriptedAnswer
from localstack.model.tokens import count, cut


@dataclass(frozen=True)
class GeneratedMessage:
    content: list[Block]
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = field(default=None)

    def count_tokens(self) -> int:
        return sum(
            count(block.get("text") or json.dumps(block, ensure_ascii=False)) for block in self.content
        )


def answer_to(
    request: MessagesRequest, scripted: ScriptedAnswer | None, fault: Fault, *, lossy: float = 0.0
) -> GeneratedMessage:
    """Return what the model says, the fault and the request's limits applied.

    `lossy` is the share it forgets.
    """
    literal = scripted and scripted.is_literal
    spoken = (
        GeneratedMessage(scripted.to_blocks(), scripted.stop_reason)
        if scripted and literal
        else _unscripted(request, lossy)
    )
    return _apply_limits(_apply_fault(spoken, fault), request)


def _unscripted(request: MessagesRequest, lossy: float) -> GeneratedMessage:
    results = chat.results_of(request)
    if not results and (call := chat.tool_call(request)):
        return GeneratedMessage([call], "tool_use")
    if request.output_config.format:
        filled = _structured(request, request.output_config.format.json_schema, lossy)
        return _text(json.dumps(filled, ensure_ascii=False))
    return _text(chat.report(results) if results else chat.chat_reply(request))


def _structured(request: MessagesRequest, schema: dict[str, Any], lossy: float) -> Any:
    events = observer.events_in(request.question_text())
    if events is not None:
        return {"facts": observer.observe(events)}
    return drop_share(fill(schema, MARKER.sub("", text_of(request.messages[-1].content))), lossy)


def _text(text: str) -> GeneratedMessage:
    return GeneratedMessage([{"type": "text", "text": text}])


def _apply_fault(answer: GeneratedMessage, fault: Fault) -> GeneratedMessage:
    if fault.name == "refusal":
        details = {"type": "refusal", "category": None, "explanation": None}
        return GeneratedMessage([], "refusal", stop_details=details)
    if fault.name == "empty":
        return GeneratedMessage([])
    if fault.name == "garbage":
        whole = answer.content[0].get("text", "") if answer.content else ""
        return _text(
            f"Sure! Here is what I found:\n```json\n{whole[: len(whole) // 2]}\nLet me know if that helps."
        )
    if fault.name == "max_tokens":
        return _cut(answer, answer.count_tokens() // 2)
    return answer


def _apply_limits(answer: GeneratedMessage, request: MessagesRequest) -> GeneratedMessage:
    """Apply the stop sequences, then max_tokens, as generation would have met them."""
    for sequence in request.stop_sequences:
        text = answer.content[0].get("text", "") if answer.content else ""
        if sequence in text:
            before = [{"type": "text", "text": text.split(sequence)[0]}]
            answer = replace(answer, content=before, stop_reason="stop_sequence", stop_sequence=sequence)
    return _cut(answer, request.max_tokens) if answer.count_tokens() > request.max_tokens else answer


def _cut(answer: GeneratedMessage, limit: int) -> GeneratedMessage:
    kept: list[Block] = []
    for block in answer.content:
        if block["type"] == "text" and (text := cut(block["text"], limit)):
            kept.append({"type": "text", "text": text})
            limit -= count(text)
    return replace(answer, content=kept, stop_reason="max_tokens", stop_sequence=None)


@dataclass(frozen=True)
class GeneratedReply:
    message: dict[str, Any]
    fault: Fault


@dataclass
class LocalModel:
    """`lossy` is the share of names and figures that its filled answers forget."""

    clock: Callable[[], float] = time.monotonic
    script: AnswerScript = field(default_factory=lambda: AnswerScript(answers=[]))
    faults: Faults = field(default_factory=Faults)
    calls: CallLog = field(default_factory=CallLog)
    lossy: float = 0.0

    def __post_init__(self) -> None:
        self.cache = PromptCache(self.clock)

    def generate_reply(
        self, request: MessagesRequest, *, caller: str, fault_header: str | None
    ) -> GeneratedReply:
        """Answer a request of `caller`, whose prompt cache is its own; raises ModelError, also on demand."""
        said = request.question_text()
        fault = self.faults.pop_fault(fault_header, said)
        fault.raise_if_error()
        scripted = self.script.pop_answer(said)
        if scripted and scripted.fault:
            fault = self.faults.pop_fault(scripted.fault, "")
            fault.raise_if_error()
        used = self.cache.apply_prompt(f"{caller}\0{request.model}", segments_of(request))
        answer = answer_to(request, scripted, fault, lossy=self.lossy)
        return GeneratedReply(_message_body(request.model, answer, used), fault)


def _message_body(model: str, answer: GeneratedMessage, used: PromptCacheUse) -> dict[str, Any]:
    return {
        "id": f"msg_{uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": answer.content,
        "stop_reason": answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": answer.stop_details,
        "usage": {
            **used.to_usage(),
            "output_tokens": max(1, answer.count_tokens()),
            "service_tier": "standard",
        },
    }
