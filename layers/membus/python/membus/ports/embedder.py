"""What turns texts into vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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

    def embed(self, texts: Sequence[str]) -> EmbeddingResult:
        """Return the vectors by text; a model that cannot be reached gives none and raises nothing."""
