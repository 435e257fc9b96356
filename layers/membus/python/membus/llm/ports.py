"""The language model, as the few functions that may call one see it.

What turns texts into vectors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from membus.core.tokens import TokenUsage
from membus.llm.prompt import ModelEvent, ModelReply, Prompt

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class StructuredAnswer(Generic[Shape]):
    """An answer in its shape, the model that gave it (a fallback has its own name) and what it took in all."""

    value: Shape
    model: str
    usage: TokenUsage


class LanguageModel(Protocol):
    """Every call ends about when `timeout_seconds` do, whatever the provider asks to wait.

    Raises:
        UnavailableError: overloaded, unreachable or out of time: worth another try after its
            `retry_after_seconds`.
        BudgetError: the tenant's money for today is spent; nobody was asked.
        ModelError: refused, cut off or out of shape: `reason` says which.
    """

    @property
    def name(self) -> str:
        """The configured model id."""

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        """Return the model's turn: words, or calls to the prompt's tools.

        A refusal is a turn without words.
        """

    def stream_reply(
        self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float
    ) -> Iterator[ModelEvent]:
        """Yield the turn while it is spoken, `Stopped` last; a stream that ends without it raises ModelError.

        Nothing is asked before the first event is drawn. Nothing is repeated once anything was heard.
        """

    def answer_with_usage(
        self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float
    ) -> StructuredAnswer[Shape]:
        """Return an answer that fits `shape`; one repair is tried before ModelError."""

    def answer(self, prompt: Prompt, shape: type[Shape], *, max_tokens: int, timeout_seconds: float) -> Shape:
        """Return no more than the value of `ask`."""


@dataclass(frozen=True)
class ModelRequest:
    """What a speaker is asked.

    `ends_at` is a moment of `time.monotonic`, `schema` the JSON Schema of the answer.
    """

    prompt: Prompt
    max_tokens: int
    ends_at: float
    schema: Mapping[str, Any] | None = None


class ChatModelClient(Protocol):
    """A model, or a model with something in front of it; `membus.llm` makes a LanguageModel of them.

    Raises:
        BusyError: the same question may be answered in a moment.
        UnavailableError, ModelError: as a LanguageModel.
    """

    @property
    def name(self) -> str: ...

    def generate_reply(self, question: ModelRequest) -> ModelReply: ...

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]: ...


Vector = Sequence[float]


@dataclass(frozen=True)
class EmbeddingResult:
    """`refused` are texts this model will never take; a text in neither may be tried again later.

    `tokens` is what the provider counted, in as many answered requests.
    """

    vectors: Mapping[str, Vector]
    refused: frozenset[str] = frozenset()
    tokens: int = 0
    requests: int = 0


class EmbeddingModel(Protocol):
    """One model; vectors of two models never meet."""

    @property
    def name(self) -> str:
        """The configured model id."""

    @property
    def dimensions(self) -> int: ...

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        """Return the vectors by text; a model that cannot be reached gives none and raises nothing."""
