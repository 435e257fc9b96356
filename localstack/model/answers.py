"""The local model: it chooses an answer by rules, and applies faults and limits to it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from localstack.model import chat, observer
from localstack.model.filler import fill
from localstack.model.prompt_cache import PromptCache, PromptCacheUse, split_prompt
from localstack.model.requests import Block, MessagesRequest
from localstack.model.scripting import MARKER, AnswerScript, CallLog, Fault, FaultCounter
from localstack.model.tokens import count, cut


@dataclass(frozen=True)
class GeneratedMessage:
    content: list[Block]
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None

    def first_text(self) -> str:
        return str(self.content[0].get("text", "")) if self.content else ""

    def count_tokens(self) -> int:
        return sum(
            count(block.get("text") or json.dumps(block, ensure_ascii=False)) for block in self.content
        )

    def cut_to(self, limit: int) -> "GeneratedMessage":
        """Return the text that `limit` tokens hold, as max_tokens would have ended it."""
        kept: list[Block] = []
        for block in self.content:
            if block["type"] == "text" and (text := cut(block["text"], limit)):
                kept.append({"type": "text", "text": text})
                limit -= count(text)
        return replace(self, content=kept, stop_reason="max_tokens", stop_sequence=None)

    def to_body(self, model: str, used: PromptCacheUse) -> dict[str, Any]:
        return {
            "id": f"msg_{uuid4().hex[:24]}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": self.content,
            "stop_reason": self.stop_reason,
            "stop_sequence": self.stop_sequence,
            "stop_details": self.stop_details,
            "usage": {
                **used.to_usage(),
                "output_tokens": max(1, self.count_tokens()),
                "service_tier": "standard",
            },
        }


@dataclass
class LocalModel:
    """Answers requests; keeps the script, the calls, the prompt cache and the faults that were used."""

    clock: Callable[[], float] = time.monotonic
    script: AnswerScript = field(default_factory=lambda: AnswerScript(answers=[]))
    faults: FaultCounter = field(default_factory=FaultCounter)
    calls: CallLog = field(default_factory=CallLog)

    def __post_init__(self) -> None:
        self._cache = PromptCache(self.clock)

    def generate_reply(
        self, request: MessagesRequest, *, caller: str, fault_header: str | None
    ) -> tuple[dict[str, Any], Fault]:
        """Return the message and the fault that its transport shows; `caller` has a prompt cache of its own.

        Raises:
            ModelServerError: a fault asks for it, or the request marks too many cache points.
        """
        question = request.question_text()
        fault = self.faults.pop_fault(fault_header, question)
        fault.raise_if_error()
        scripted = self.script.pop_answer(question)
        if scripted and scripted.fault:
            fault = self.faults.pop_fault(scripted.fault, "")
            fault.raise_if_error()
        used = self._cache.apply_prompt(f"{caller}\0{request.model}", split_prompt(request))
        if scripted and scripted.is_literal:
            answer = GeneratedMessage(scripted.to_blocks(), scripted.stop_reason)
        else:
            answer = _answer_by_rules(request)
        answer = _apply_limits(_apply_fault(answer, fault), request)
        return answer.to_body(request.model, used), fault


def _answer_by_rules(request: MessagesRequest) -> GeneratedMessage:
    results = chat.find_results(request)
    if not results and (call := chat.choose_call(request)):
        return GeneratedMessage([call], "tool_use")
    if request.output_config.format:
        filled = _fill_format(request, request.output_config.format.json_schema)
        return _text(json.dumps(filled, ensure_ascii=False))
    return _text(chat.report(results) if results else chat.chat_reply(request))


def _fill_format(request: MessagesRequest, schema: dict[str, Any]) -> Any:
    events = observer.events_in(request.question_text())
    if events is not None:
        return {"facts": observer.observe(events)}
    return fill(schema, MARKER.sub("", request.last_text()))


def _text(text: str) -> GeneratedMessage:
    return GeneratedMessage([{"type": "text", "text": text}])


def _apply_fault(answer: GeneratedMessage, fault: Fault) -> GeneratedMessage:
    if fault.name == "refusal":
        details = {"type": "refusal", "category": None, "explanation": None}
        return GeneratedMessage([], "refusal", stop_details=details)
    if fault.name == "empty":
        return GeneratedMessage([])
    if fault.name == "garbage":
        whole = answer.first_text()
        half = whole[: len(whole) // 2]
        return _text(f"Sure! Here is what I found:\n```json\n{half}\nLet me know if that helps.")
    if fault.name == "max_tokens":
        return answer.cut_to(answer.count_tokens() // 2)
    return answer


def _apply_limits(answer: GeneratedMessage, request: MessagesRequest) -> GeneratedMessage:
    """Apply the stop sequences, then max_tokens, as generation would have met them."""
    for sequence in request.stop_sequences:
        if sequence in (text := answer.first_text()):
            before: list[Block] = [{"type": "text", "text": text.split(sequence)[0]}]
            answer = replace(answer, content=before, stop_reason="stop_sequence", stop_sequence=sequence)
    return answer.cut_to(request.max_tokens) if answer.count_tokens() > request.max_tokens else answer
