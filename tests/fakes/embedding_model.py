"""An embedder that hears words alone: each stem is a direction, so texts of the same words lie close."""

import hashlib
import math
from collections.abc import Sequence

from membus.core.errors import BudgetError
from membus.core.text.terms import stem_words
from membus.llm.ports import EmbeddingResult, Vector


class WordEmbeddingModel:
    """`asked` keeps every text it was given.

    It can be taken away or unpaid, and refuses the texts in `refusing`.
    """

    name, dimensions = "words", 1024

    def __init__(self, *, refusing: frozenset[str] = frozenset()) -> None:
        self.asked: list[str] = []
        self.refusing = refusing
        self.away = self.unpaid = False

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        if self.unpaid:
            raise BudgetError("the budget is spent")
        self.asked += texts
        if self.away:
            return EmbeddingResult({})
        refused = frozenset(texts) & self.refusing
        taken = [text for text in texts if text not in refused]
        tokens = sum(len(text.split()) for text in taken)
        return EmbeddingResult(
            {text: vector_of(text) for text in taken}, refused, tokens=tokens, requests=len(taken)
        )


def vector_of(text: str, dimensions: int = WordEmbeddingModel.dimensions) -> Vector:
    vector = [0.001] * dimensions
    for stem in stem_words(text) or [text]:
        vector[int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big") % dimensions] += 1.0
    length = math.hypot(*vector)
    return [value / length for value in vector]


def cosine(one: Vector, other: Vector) -> float:
    products = (a * b for a, b in zip(one, other, strict=True))
    return sum(products) / (math.hypot(*one) * math.hypot(*other))
