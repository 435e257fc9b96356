"""Faults on demand.

`name=argument*times#label` in the header `x-membus-fault` or, as a marker, in the last message.

What tests script and inspect: literal answers in a queue, and the list of calls that were received.
"""

import json
import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from localstack.model.requests import ModelServerError

FAULTS = {
    "rate_limited": "429 with retry-after; argument: its seconds, 1 by default",
    "overloaded": "529 overloaded_error (Bedrock: 503)",
    "error": "500 api_error",
    "slow": "answers after a pause; argument: seconds, 2 by default",
    "cut": "the stream ends midway with no stop_reason; a JSON body breaks off and the connection closes",
    "drop": "as cut, but a stream too is torn off without the end of its body",
    "error_event": "an error event in the middle of the stream; 500 where nothing streams",
    "refusal": "stop_reason refusal with stop_details, no content",
    "garbage": "prose around, and a broken half of, what the answer would have been",
    "empty": "end_turn with no content",
    "max_tokens": "the first half of the answer, stop_reason max_tokens",
}
CHAT_ONLY = {"cut", "drop", "error_event", "refusal", "garbage", "empty", "max_tokens"}
MARKER = re.compile(r"\[\[fault:([^\]\s]+)\]\]")
_SPEC = re.compile(
    r"(?P<name>[a-z_]+)(=(?P<argument>\d+(\.\d+)?))?(\*(?P<times>\d+))?(#(?P<label>[\w-]+))?", re.ASCII
)


@dataclass(frozen=True)
class Fault:
    name: str
    argument: float | None = None

    def raise_if_error(self) -> None:
        if self.name == "rate_limited":
            wait = f"{self.argument if self.argument is not None else 1:g}"
            message = "This request would exceed your rate limit."
            raise ModelServerError("rate_limit_error", message, {"retry-after": wait})
        if self.name == "overloaded":
            raise ModelServerError("overloaded_error", "Overloaded")
        if self.name == "error":
            raise ModelServerError("api_error", "Internal server error")

    @property
    def pause_seconds(self) -> float:
        if self.name != "slow":
            return 0.0
        return 2.0 if self.argument is None else self.argument


NO_FAULT = Fault("none")


class Faults:
    """Remembers how often each marker fired.

    A label makes a marker one's own among tests that share a server.
    """

    def __init__(self) -> None:
        self._fired: Counter[str] = Counter()

    def pop_embedding_fault(self, header: str | None, text: str) -> Fault:
        """Return the fault of an embedding call; a marker that only a chat can show waits for the chat."""
        shown = (spec for spec in MARKER.findall(text) if re.split(r"[=*#]", spec)[0] not in CHAT_ONLY)
        return self.pop_fault(header, " ".join(f"[[fault:{spec}]]" for spec in shown))

    def pop_fault(self, header: str | None, text: str) -> Fault:
        """Return the first fault asked for that has calls left."""
        specs = ([header] if header else []) + MARKER.findall(text)
        return next((fault for spec in specs if (fault := self._fire(spec))), NO_FAULT)

    def _fire(self, spec: str) -> Fault | None:
        match = _SPEC.fullmatch(spec)
        if match is None or match["name"] not in FAULTS:
            raise ModelServerError.invalid_request(f"unknown fault {spec!r}; there are {', '.join(FAULTS)}")
        self._fired[spec] += 1
        if match["times"] and self._fired[spec] > int(match["times"]):
            return None
        return Fault(match["name"], float(match["argument"]) if match["argument"] else None)


KEPT_CALLS = 500


class ScriptedAnswer(BaseModel):
    """One literal answer.

    Text, json (sent as text), content blocks or a fault, for the calls that contain `match`.
    """

    model_config = ConfigDict(extra="forbid")
    text: str | None = None
    json_: Any = Field(default=None, alias="json")
    content: list[dict[str, Any]] | None = None
    stop_reason: str = "end_turn"
    fault: str | None = None
    match: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"text": given} if isinstance(given, str) else given

    @property
    def is_literal(self) -> bool:
        """Say whether it brings words; a fault alone spoils the answer the model would have given."""
        return not {"text", "json_", "content"}.isdisjoint(self.model_fields_set)

    def to_blocks(self) -> list[dict[str, Any]]:
        if self.content is not None:
            return self.content
        return [{"type": "text", "text": self.text if self.text is not None else json.dumps(self.json_)}]


class AnswerScript(BaseModel):
    """The body of `POST /_script`, and the queue itself."""

    model_config = ConfigDict(extra="forbid")
    answers: list[ScriptedAnswer]

    def pop_answer(self, text: str) -> ScriptedAnswer | None:
        """Remove and return the first answer meant for a call with this text."""
        for place, answer in enumerate(self.answers):
            if answer.match in text:
                return self.answers.pop(place)
        return None


class CallLog:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT_CALLS)

    def add_call(self, **call: Any) -> None:
        self._calls.append(call)

    def find_calls(self, text: str) -> list[dict[str, Any]]:
        return [call for call in self._calls if text in json.dumps(call["body"], ensure_ascii=False)]

    def clear_calls(self) -> None:
        self._calls.clear()
