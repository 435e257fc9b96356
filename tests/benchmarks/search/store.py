"""A search scope in memory that retrieves as production does in SQL: two arms, then neighbours."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from membus.search.postgres.search import CANDIDATES, SAMPLE
from membus.search.postgres.store import content_hash
from membus.search.query import SearchQuery
from membus.search.ranking import select_for_neighbours
from membus.search.retrieval import NEIGHBOURS, IndexEntry, PassageRow, ScopeStatistics, search_entries
from tests.benchmarks.search.vectors import Vectors

Scores = NDArray[np.float64]
_BEHIND = range(
    -NEIGHBOURS, NEIGHBOURS
)  # from a message's second before to its first behind: each knows who follows


class Store:
    """`rows` and `texts` go together: `vectors` are those of `texts`, a row each."""

    def __init__(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        self.rows = search_entries(entries, terms=(), similarity=lambda _: None).rows
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

    def gather(self, query: SearchQuery, vector: Vectors) -> tuple[list[PassageRow], ScopeStatistics]:
        similarities: Scores = (self.vectors @ vector).astype(float)
        worths = self._worded(query)
        near, worded = np.argsort(-similarities, kind="stable")[:CANDIDATES].tolist(), _top(worths)
        sample = similarities[self._sample]
        scope = ScopeStatistics(
            rows=len(self.rows),
            average_length=float(self._lengths.mean()),
            frequencies={term: len(self._postings[term]) for term in query.terms if term in self._postings},
            similarity_mean=float(sample.mean()),
            similarity_deviation=float(sample.std()),
        )
        chosen = self._accompanied(dict.fromkeys(near, similarities), dict.fromkeys(worded, worths), scope)
        beside = {index for candidate in chosen for index in self._beside(self.rows[candidate])}
        found = sorted({*near, *worded} | beside)
        numbers = self._numbered(found, chosen)
        rows = [self.rows[i]._replace(similarity=float(similarities[i]), position=numbers[i]) for i in found]
        return rows, scope

    def _accompanied(
        self, near: Mapping[int, Scores], worded: Mapping[int, Scores], scope: ScopeStatistics
    ) -> list[int]:
        places = {self.rows[i].id: i for i in (*near, *worded)}
        by_id = [{self.rows[i].id: float(scores[i]) for i, scores in arm.items()} for arm in (near, worded)]
        return [places[row_id] for row_id in select_for_neighbours(by_id[0], by_id[1], scope)]

    def _beside(self, row: PassageRow) -> list[int]:
        places = ((row.session, row.position + offset) for offset in range(-NEIGHBOURS, NEIGHBOURS + 1))
        near = [index for place in places for index in self._places.get(place, [])] if row.session else []
        return [index for index in near if self.rows[index].part == 0]

    def _numbered(self, found: Sequence[int], accompanied: Iterable[int]) -> dict[int, int]:
        """Return positions, consecutive only where the index knows it: around rows with neighbours."""
        around = (
            (self.rows[i].session, self.rows[i].position + step) for i in accompanied for step in _BEHIND
        )
        joined = {place for place in around if place in self._places}
        numbers, number, last = {}, 0, ("", 0)
        for i in sorted(found, key=lambda i: (self.rows[i].session, self.rows[i].position)):
            place = self.rows[i].session, self.rows[i].position
            if place != last:
                follows = last in joined and place == (last[0], last[1] + 1)
                number += 1 if follows else NEIGHBOURS + 1
            last, numbers[i] = place, number if place[0] else 0
        return numbers

    def _worded(self, query: SearchQuery) -> Scores:
        """Score as the lexical arm does: which terms a row holds, not how often."""
        scores = np.zeros(len(self.rows))
        for held in (self._postings[term] for term in query.terms if term in self._postings):
            scores[held] += math.log(1 + (len(self.rows) - len(held) + 0.5) / (len(held) + 0.5))
        worded: Scores = scores / (0.25 + 0.75 * self._lengths / max(1.0, self._lengths.mean()))
        return worded


def _top(scores: Scores) -> list[int]:
    best = np.argsort(-scores, kind="stable")[:CANDIDATES]
    return [int(index) for index in best if scores[index] > 0]
