"""A language model made of a speaker: deadlines are set here, and answers get their shape."""

import json
import time
from collections.abc import Iterator

from pydantic import ValidationError

from membus.domain.prompt import ChatMessage, ModelEvent, ModelReply, Prompt
from membus.errors import ModelError
from membus.ports.model import ChatModelClient, ModelRequest, Shape, StructuredAnswer

ERROR_REASONS = {"refusal": "refused", "max_tokens": "max_tokens"}


class StructuredModel:
    def __init__(self, speaker: ChatModelClient) -> None:
        self._speaker, self.name = speaker, speaker.name

    def reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        return self._speaker.reply(ModelRequest(prompt, max_tokens, time.monotonic() + timeout_seconds))

    def stream(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> Iterator[ModelEvent]:
        return self._speaker.stream(ModelRequest(prompt, max_tokens, time.monotonic() + timeout_seconds))

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        return self.ask(prompt, shape, max_tokens=max_tokens, timeout_seconds=timeout_seconds).value

    def ask(
        self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float
    ) -> StructuredAnswer[Shape]:
        ends_at, schema = time.monotonic() + timeout_seconds, shape.model_json_schema()
        first = self._finished(ModelRequest(prompt, max_tokens, ends_at, schema))
        try:
            return StructuredAnswer(shape.model_validate_json(first.text), first.model, first.usage)
        except ValidationError as error:
            repair = _repair_prompt(prompt, first.text, error)
        second = self._finished(ModelRequest(repair, max_tokens, ends_at, schema))
        try:
            return StructuredAnswer(
                shape.model_validate_json(second.text), second.model, first.usage + second.usage
            )
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error

    def _finished(self, question: ModelRequest) -> ModelReply:
        """Return a whole answer; a refusal or one that was cut off is none."""
        reply = self._speaker.reply(question)
        if reply.stop_reason != "end_turn":
            reason = ERROR_REASONS.get(reply.stop_reason, "cut_off")
            raise ModelError(f"the model stopped with {reply.stop_reason}", reason=reason)
        return reply


def _repair_prompt(prompt: Prompt, text: str, error: ValidationError) -> Prompt:
    complaint = json.dumps(error.errors(include_url=False, include_input=False, include_context=False)[:5])
    again = f"That answer does not fit the schema: {complaint}. Answer again with nothing but the JSON."
    said = (
        *prompt.messages,
        ChatMessage(role="assistant", text=text or "(nothing)"),
        ChatMessage(role="user", text=again),
    )
    return prompt.model_copy(update={"messages": said})
