"""A scope in memory that answers as production does in SQL: two arms of candidates, then what was said beside them."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from membus.adapters.postgres_passages import content_hash
from membus.adapters.postgres_search import ACCOMPANIED, CANDIDATES, SAMPLE
from membus.domain.retrieval import BESIDE, BESIDE_PARTS, Entry, found_among
from membus.domain.search import Query, Row, Scope
from tests.benchmarks.search.vectors import Vectors

Scores = NDArray[np.float64]


class Store:
    """`rows` and `texts` go together: `vectors` are those of `texts`, a row each."""

    def __init__(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        self.rows = found_among(entries, terms=(), similarity=lambda _: None).rows
        self.vectors = vectors
        texts = [passage.embedded_text for entry in entries for passage in entry.passages]
        self._sample = sorted(range(len(texts)), key=lambda index: content_hash(texts[index]))[:SAMPLE]
        self._postings: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows):
            for term in set(row.stems.split()):
                self._postings[term].append(index)
        self._lengths = np.array([len(row.stems.split()) for row in self.rows], float)
        self._places = defaultdict(list)
        for index, row in enumerate(self.rows):
            self._places[row.session, row.position].append(index)

    def gather(self, query: Query, vector: Vectors) -> tuple[list[Row], Scope]:
        similarities: Scores = (self.vectors @ vector).astype(float)
        near, worded = np.argsort(-similarities, kind="stable")[:CANDIDATES].tolist(), _top(self._worded(query))
        accompanied = {*near[:ACCOMPANIED], *worded[:ACCOMPANIED]}
        beside = {index for candidate in accompanied for index in self._beside(self.rows[candidate])}
        rows = [replace(self.rows[i], similarity=float(similarities[i])) for i in sorted({*near, *worded} | beside)]
        sample = similarities[self._sample]
        return rows, Scope(
            rows=len(self.rows),
            average_length=float(self._lengths.mean()),
            frequencies={term: len(self._postings[term]) for term in query.terms if term in self._postings},
            similarity_mean=float(sample.mean()),
            similarity_deviation=float(sample.std()),
        )

    def _beside(self, row: Row) -> list[int]:
        places = ((row.session, row.position + offset) for offset in range(-BESIDE, BESIDE + 1))
        near = [index for place in places for index in self._places.get(place, [])] if row.session else []
        return [index for index in near if self.rows[index].part < BESIDE_PARTS]

    def _worded(self, query: Query) -> Scores:
        """Score as the lexical arm does: which terms a row holds, not how often."""
        scores = np.zeros(len(self.rows))
        for held in (self._postings[term] for term in query.terms if term in self._postings):
            scores[held] += math.log(1 + (len(self.rows) - len(held) + 0.5) / (len(held) + 0.5))
        worded: Scores = scores / (0.25 + 0.75 * self._lengths / max(1.0, self._lengths.mean()))
        return worded


def _top(scores: Scores) -> list[int]:
    best = np.argsort(-scores, kind="stable")[:CANDIDATES]
    return [int(index) for index in best if scores[index] > 0]
