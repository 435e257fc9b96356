"""What tests ask of the model server: faults, a queue of literal answers, and the calls it received."""

import json
import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from localstack.model.requests import ModelServerError

# README.md says what each fault does.
EMBEDDING_FAULTS = ("rate_limited", "overloaded", "error", "slow")
CHAT_FAULTS = ("cut", "drop", "error_event", "refusal", "garbage", "empty", "max_tokens")
FAULTS = EMBEDDING_FAULTS + CHAT_FAULTS
MARKER = re.compile(r"\[\[fault:([^\]\s]+)\]\]")
_SPEC = re.compile(
    r"(?P<name>[a-z_]+)(=(?P<argument>\d+(\.\d+)?))?(\*(?P<times>\d+))?(#(?P<label>[\w-]+))?", re.ASCII
)
KEPT_CALLS = 500


@dataclass(frozen=True)
class Fault:
    name: str
    argument: float | None = None

    def raise_if_error(self) -> None:
        if self.name == "rate_limited":
            seconds = f"{1 if self.argument is None else self.argument:g}"
            message = "This request would exceed your rate limit."
            raise ModelServerError("rate_limit_error", message, {"retry-after": seconds})
        if self.name == "overloaded":
            raise ModelServerError("overloaded_error", "Overloaded")
        if self.name == "error":
            raise ModelServerError("api_error", "Internal server error")

    @property
    def pause_seconds(self) -> float:
        if self.name != "slow":
            return 0.0
        return 2.0 if self.argument is None else self.argument


class FaultCounter:
    """Counts how often each fault was asked for, so that a fault of `*2` ends after two calls."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def pop_fault(self, header: str | None, text: str) -> Fault:
        """Return the first fault of the header or the markers in `text` that has calls left."""
        specs = ([header] if header else []) + MARKER.findall(text)
        return next((fault for spec in specs if (fault := self._use(spec))), Fault("none"))

    def pop_embedding_fault(self, header: str | None, text: str) -> Fault:
        """Return the fault of an embedding call; a marker of a chat fault stays for the chat."""
        specs = (spec for spec in MARKER.findall(text) if re.split(r"[=*#]", spec)[0] not in CHAT_FAULTS)
        return self.pop_fault(header, " ".join(f"[[fault:{spec}]]" for spec in specs))

    def _use(self, spec: str) -> Fault | None:
        match = _SPEC.fullmatch(spec)
        if match is None or match["name"] not in FAULTS:
            raise ModelServerError.invalid_request(f"unknown fault {spec!r}; there are {', '.join(FAULTS)}")
        self._counts[spec] += 1
        if match["times"] and self._counts[spec] > int(match["times"]):
            return None
        return Fault(match["name"], float(match["argument"]) if match["argument"] else None)


class ScriptedAnswer(BaseModel):
    """A literal answer: text, json (sent as text), blocks or a fault; for calls that contain `match`."""

    model_config = ConfigDict(extra="forbid")
    text: str | None = None
    json_: Any = Field(default=None, alias="json")
    content: list[dict[str, Any]] | None = None
    stop_reason: str = "end_turn"
    fault: str | None = None
    match: str = ""

    @model_validator(mode="before")
    @classmethod
    def _accept_string(cls, given: Any) -> Any:
        return {"text": given} if isinstance(given, str) else given

    @property
    def is_literal(self) -> bool:
        """Whether it has words; a fault alone changes the answer that the model gives itself."""
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
        """Remove and return the first answer for a call with this text."""
        place = next((place for place, answer in enumerate(self.answers) if answer.match in text), None)
        return None if place is None else self.answers.pop(place)


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
