"""The language model, as the few functions that may call one see it."""

from typing import Protocol, TypeVar

from pydantic import BaseModel

from membus.domain.prompt import Prompt, Reply

Shape = TypeVar("Shape", bound=BaseModel)


class LanguageModel(Protocol):
    """Every call ends within `timeout_seconds`, whatever the provider asks to wait.

    Raises:
        UnavailableError: overloaded, unreachable or out of time: worth another try later.
        ModelError: refused, cut off or out of shape: `reason` says which.
    """

    @property
    def name(self) -> str:
        """The configured model id."""

    def reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> Reply: ...

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        """Return an answer that fits `shape`; one repair is tried before ModelError."""
