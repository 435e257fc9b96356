"""A language model that answers from a script and keeps what it was asked."""

from collections.abc import Callable

from pydantic import ValidationError

from membus.domain.prompt import Prompt, Reply, Usage
from membus.errors import MembusError, ModelError
from membus.ports.model import Shape

Line = str | MembusError | Callable[[Prompt], str]


class ScriptedModel:
    """Gives its lines one after the other, the last one for ever; an error is raised, a function is asked."""

    def __init__(self, *lines: Line, stop_reason: str = "end_turn") -> None:
        self.name = "scripted"
        self.prompts: list[Prompt] = []
        self._lines, self._stop_reason = lines, stop_reason

    def reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> Reply:
        text = self._next(prompt, max_tokens, timeout_seconds)
        return Reply(text=text, stop_reason=self._stop_reason, model=self.name, usage=Usage(input=100, output=5))

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        text = self._next(prompt, max_tokens, timeout_seconds)
        try:
            return shape.model_validate_json(text)
        except ValidationError as error:
            raise ModelError("the model's answer does not fit its schema", reason="malformed") from error

    def _next(self, prompt: Prompt, max_tokens: int, timeout_seconds: float) -> str:
        if max_tokens <= 0 or timeout_seconds <= 0:
            raise AssertionError("a model needs tokens and time to answer")
        line = self._lines[min(len(self.prompts), len(self._lines) - 1)]
        self.prompts.append(prompt)
        if isinstance(line, MembusError):
            raise line
        return line if isinstance(line, str) else line(prompt)
