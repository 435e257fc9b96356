"""What tests script and inspect: literal answers in a queue, and the list of calls that were received."""

import json
from collections import deque
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

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

    def blocks(self) -> list[dict[str, Any]]:
        if self.content is not None:
            return self.content
        return [{"type": "text", "text": self.text if self.text is not None else json.dumps(self.json_)}]


class AnswerScript(BaseModel):
    """The body of `POST /_script`, and the queue itself."""

    model_config = ConfigDict(extra="forbid")
    answers: list[ScriptedAnswer]

    def take(self, text: str) -> ScriptedAnswer | None:
        """Remove and return the first answer meant for a call with this text."""
        for place, answer in enumerate(self.answers):
            if answer.match in text:
                return self.answers.pop(place)
        return None


class CallLog:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT_CALLS)

    def add(self, **call: Any) -> None:
        self._calls.append(call)

    def matching(self, text: str) -> list[dict[str, Any]]:
        return [call for call in self._calls if text in json.dumps(call["body"], ensure_ascii=False)]

    def clear(self) -> None:
        self._calls.clear()
