"""The ports of language models and of embedding models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from membus.core.tokens import TokenUsage
from membus.llm.prompt import ModelEvent, ModelReply, Prompt

Schema = TypeVar("Schema", bound=BaseModel)


@dataclass(frozen=True)
class StructuredAnswer(Generic[Schema]):
    """An answer in its schema; `model` gave it (perhaps the fallback), `usage` sums all requests for it."""

    value: Schema
    model: str
    usage: TokenUsage


class LanguageModel(Protocol):
    """A model for use cases; every call ends within about `timeout_seconds`.

    Raises:
        UnavailableError: overloaded, unreachable or out of time: worth another try after its
            `retry_after_seconds`.
        BudgetError: the tenant's money for today is spent; no model was asked.
        ModelError: refused, cut off or out of its schema: `reason` says which.
    """

    @property
    def name(self) -> str:
        """The configured model id."""

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        """Return the model's turn: text, or calls to the prompt's tools; a refusal has no text."""

    def stream_reply(
        self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float
    ) -> Iterator[ModelEvent]:
        """Yield the turn while it is generated, `ReplyEnd` last; raises ModelError for a stream without it.

        Drawing the first event asks the model. Nothing is asked again once there was an event.
        """

    def answer(
        self, prompt: Prompt, schema: type[Schema], *, max_tokens: int, timeout_seconds: float
    ) -> StructuredAnswer[Schema]:
        """Return an answer that fits `schema`; one repair is tried before ModelError."""


@dataclass(frozen=True)
class ModelRequest:
    """One request; `ends_at` is a moment of `time.monotonic`, `schema` the JSON Schema of the answer."""

    prompt: Prompt
    max_tokens: int
    ends_at: float
    schema: Mapping[str, Any] | None = None


class ChatModelClient(Protocol):
    """A client of one model, or one that wraps another: `membus.llm.clients` makes a LanguageModel of them.

    Raises:
        BusyError: the same request may be answered in a moment.
        UnavailableError, ModelError: as a LanguageModel.
    """

    @property
    def name(self) -> str: ...

    def generate_reply(self, request: ModelRequest) -> ModelReply: ...

    def stream_reply(self, request: ModelRequest) -> Iterator[ModelEvent]: ...


Vector = Sequence[float]


@dataclass(frozen=True)
class EmbeddingResult:
    """Vectors by text; the model never takes the `refused` texts, and all others may be tried again.

    `tokens` is what the provider counted, in as many answered `requests`.
    """

    vectors: Mapping[str, Vector]
    refused: frozenset[str] = frozenset()
    tokens: int = 0
    requests: int = 0


class EmbeddingModel(Protocol):
    """One model; vectors of two models are never compared."""

    @property
    def name(self) -> str:
        """The configured model id."""

    @property
    def dimensions(self) -> int: ...

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        """Return the vectors by text: none, and no error, where the model cannot be reached."""
