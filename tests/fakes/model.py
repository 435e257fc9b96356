"""A language model that answers from a script and keeps what it was asked."""

from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError

from membus.core.errors import MembusError, ModelError
from membus.core.tokens import TokenUsage
from membus.llm.ports import Schema, StructuredAnswer
from membus.llm.prompt import ModelEvent, ModelReply, Prompt, ReplyEnd, TextDelta, ToolCall

Line = str | MembusError | Sequence[ToolCall] | Callable[[Prompt], str | Sequence[ToolCall]]
USAGE = TokenUsage(input=100, output=5)


class ScriptedModel:
    """Gives its lines one after the other, the last one for ever; an error is raised, a function is asked.

    Calls to tools are a line of their own. A streamed line comes word by word.
    """

    def __init__(self, *lines: Line, stop_reason: str = "end_turn") -> None:
        self.name = "scripted"
        self.prompts: list[Prompt] = []
        self._lines, self._stop_reason = lines, stop_reason

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        line = self._next(prompt, max_tokens, timeout_seconds)
        if isinstance(line, str):
            return ModelReply.model_validate(
                {"text": line, "stop_reason": self._stop_reason, "model": self.name, "usage": USAGE}
            )
        return ModelReply(text="", stop_reason="tool_use", model=self.name, usage=USAGE, calls=tuple(line))

    def stream_reply(
        self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float
    ) -> Iterator[ModelEvent]:
        reply = self.generate_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)
        yield from (TextDelta(text=f"{word} ") for word in reply.text.split(" ")[:-1])
        yield from (TextDelta(text=word) for word in reply.text.split(" ")[-1:] if word)
        yield from reply.calls
        yield reply.usage
        yield ReplyEnd(reply=reply)

    def answer(
        self, prompt: Prompt, schema: type[Schema], *, max_tokens: int, timeout_seconds: float
    ) -> StructuredAnswer[Schema]:
        reply = self.generate_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)
        try:
            return StructuredAnswer(schema.model_validate_json(reply.text), reply.model, reply.usage)
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error

    def _next(self, prompt: Prompt, max_tokens: int, timeout_seconds: float) -> str | Sequence[ToolCall]:
        if max_tokens <= 0 or timeout_seconds <= 0:
            raise AssertionError("a model needs tokens and time to answer")
        line = self._lines[min(len(self.prompts), len(self._lines) - 1)]
        self.prompts.append(prompt)
        if isinstance(line, MembusError):
            raise line
        return line(prompt) if callable(line) else line
