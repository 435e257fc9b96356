"""A language model made of a speaker: deadlines are set here, and answers get their shape."""

import json
import time
from collections.abc import Iterator

from pydantic import ValidationError

from membus.domain.prompt import Prompt, Reply, Said, Spoken
from membus.errors import ModelError
from membus.ports.model import Answered, Question, Shape, Speaker

REASONS = {"refusal": "refused", "max_tokens": "max_tokens"}


class Model:
    def __init__(self, speaker: Speaker) -> None:
        self._speaker, self.name = speaker, speaker.name

    def reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> Reply:
        return self._speaker.reply(Question(prompt, max_tokens, time.monotonic() + timeout_seconds))

    def stream(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> Iterator[Spoken]:
        return self._speaker.stream(Question(prompt, max_tokens, time.monotonic() + timeout_seconds))

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        return self.ask(prompt, shape, max_tokens=max_tokens, timeout_seconds=timeout_seconds).value

    def ask(
        self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float
    ) -> Answered[Shape]:
        ends_at, schema = time.monotonic() + timeout_seconds, shape.model_json_schema()
        first = self._finished(Question(prompt, max_tokens, ends_at, schema))
        try:
            return Answered(shape.model_validate_json(first.text), first.model, first.usage)
        except ValidationError as error:
            repair = _repaired(prompt, first.text, error)
        second = self._finished(Question(repair, max_tokens, ends_at, schema))
        try:
            return Answered(shape.model_validate_json(second.text), second.model, first.usage + second.usage)
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error

    def _finished(self, question: Question) -> Reply:
        """Return a whole answer; a refusal or one that was cut off is none."""
        reply = self._speaker.reply(question)
        if reply.stop_reason != "end_turn":
            reason = REASONS.get(reply.stop_reason, "cut_off")
            raise ModelError(f"the model stopped with {reply.stop_reason}", reason=reason)
        return reply


def _repaired(prompt: Prompt, text: str, error: ValidationError) -> Prompt:
    complaint = json.dumps(error.errors(include_url=False, include_input=False, include_context=False)[:5])
    again = f"That answer does not fit the schema: {complaint}. Answer again with nothing but the JSON."
    said = (*prompt.messages, Said(role="assistant", text=text or "(nothing)"), Said(role="user", text=again))
    return prompt.model_copy(update={"messages": said})
