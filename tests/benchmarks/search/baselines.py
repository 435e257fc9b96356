"""Baselines over whole messages: BM25 with and without stems, vectors, and two fusions of them."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from membus.core.text.terms import stem_words
from tests.benchmarks.search.data import Case
from tests.benchmarks.search.store import Scores
from tests.benchmarks.search.vectors import KeptVectors, Vectors

K1, B = 1.2, 0.75
RANK_CONSTANT = 60  # of reciprocal rank fusion, as its authors and most stores have it


class Baselines:
    """`ranked` gives the ids of a case's messages for each question by each method, best first."""

    def __init__(self, case: Case, vectors: KeptVectors) -> None:
        self._ids = [message.id for message in case.messages]
        texts = message_texts(case)
        self._plain, self._stemmed = Bm25(texts, plain_words), Bm25(texts, stem_words)
        self._vectors: Vectors = vectors.embed_texts(texts)

    def ranked(self, question: str, vector: Vectors) -> dict[str, list[str]]:
        dense: Scores = (self._vectors @ vector).astype(float)
        plain, stemmed = self._plain.scores(question), self._stemmed.scores(question)
        methods = {
            "BM25": plain,
            "BM25 stemmed": stemmed,
            "dense": dense,
            "reciprocal rank": _reciprocal(stemmed) + _reciprocal(dense),
            "min-max": _min_max(stemmed) + _min_max(dense),
        }
        return {
            name: [self._ids[i] for i in np.argsort(-scores, kind="stable")]
            for name, scores in methods.items()
        }


def message_texts(case: Case) -> list[str]:
    return [f"{message.speaker}: {message.text}" for message in case.messages]


class Bm25:
    def __init__(self, texts: Sequence[str], read: Callable[[str], list[str]]) -> None:
        self._read = read
        self._counts = [Counter(read(text)) for text in texts]
        lengths = np.array([count.total() for count in self._counts], float)
        self._saturation = K1 * (1 - B + B * lengths / lengths.mean())
        self._holding = Counter(term for count in self._counts for term in count)

    def scores(self, question: str) -> Scores:
        scores = np.zeros(len(self._counts))
        for term in set(self._read(question)) & self._holding.keys():
            df = self._holding[term]
            weight = math.log(1 + (len(self._counts) - df + 0.5) / (df + 0.5))
            tf = np.array([count[term] for count in self._counts], float)
            scores += weight * tf * (K1 + 1) / (tf + self._saturation)
        return scores


def plain_words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _reciprocal(scores: Scores) -> Scores:
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    fused: Scores = 1 / (RANK_CONSTANT + ranks + 1)
    return fused


def _min_max(scores: Scores) -> Scores:
    span = scores.max() - scores.min()
    return (scores - scores.min()) / span if span else scores * 0.0
