"""The local model: what both doors share: faults, script, prompt cache and the log of calls."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from localstack.model.answer import GeneratedMessage, answer_to
from localstack.model.faults import Fault, Faults
from localstack.model.prompt_cache import PromptCache, PromptCacheUse
from localstack.model.request import MessagesRequest
from localstack.model.script import AnswerScript, CallLog
from localstack.model.segments import segments_of


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

    def reply(self, request: MessagesRequest, *, caller: str, fault_header: str | None) -> GeneratedReply:
        """Answer a request of `caller`, whose prompt cache is its own; raises ModelError, also on demand."""
        said = request.said()
        fault = self.faults.due(fault_header, said)
        fault.raise_if_error()
        scripted = self.script.take(said)
        if scripted and scripted.fault:
            fault = self.faults.due(scripted.fault, "")
            fault.raise_if_error()
        used = self.cache.use(f"{caller}\0{request.model}", segments_of(request))
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
        "usage": {**used.usage(), "output_tokens": max(1, answer.tokens()), "service_tier": "standard"},
    }
