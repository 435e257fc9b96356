"""Ranking: the features of each candidate are weighed into a score from 0 to 1."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from membus.search.features import (
    context_columns,
    deviation_unit,
    lexical_columns,
    match_unit,
    trait_columns,
    vector_columns,
)
from membus.search.query import SearchQuery
from membus.search.retrieval import CandidateRows, FeatureColumns, PassageRow, ScopeStatistics, sitting_key
from membus.search.weights import MIDPOINT, WEIGHTS

SITTING_AGAIN = "sitting_again"


@dataclass(frozen=True)
class RankedPassage:
    """`score` is the estimated chance that the passage answers the query; `parts` add up to its log odds."""

    row: PassageRow
    score: float
    parts: dict[str, float]
    matched: tuple[str, ...]


def rank_passages(
    query: SearchQuery,
    rows: Sequence[PassageRow],
    scope: ScopeStatistics,
    *,
    limit: int,
    may_answer: Callable[[PassageRow], bool] | None = None,
) -> list[RankedPassage]:
    """Return the best passage of each message, best first.

    A passage that `may_answer` refuses is not returned; it counts as a neighbour of others.
    """
    columns = feature_columns(query, CandidateRows(rows), scope)
    scores = weigh_features(columns, len(rows))
    best: dict[str, int] = {}
    for index in sorted(range(len(rows)), key=lambda i: (-scores[i], rows[i].id)):
        if len(best) == limit and not query.overview:
            break
        if may_answer is None or may_answer(rows[index]):
            best.setdefault(rows[index].group_id, index)
    chosen = dict.fromkeys(best.values(), 0.0)
    if query.overview:
        chosen = _spread_over_sittings(rows, best.values(), scores)
    return [_ranked_passage(query, rows[i], columns, i, again) for i, again in list(chosen.items())[:limit]]


def feature_columns(query: SearchQuery, candidates: CandidateRows, scope: ScopeStatistics) -> FeatureColumns:
    lexical = lexical_columns(query, candidates, scope)
    vector = vector_columns(candidates, scope)
    context = context_columns(candidates, lexical["words"], vector["meaning"])
    return lexical | vector | context | trait_columns(query, candidates)


def weigh_features(columns: FeatureColumns, count: int) -> list[float]:
    """Return the log odds of `count` rows, up to a constant."""
    scores = [0.0] * count
    for name, column in columns.items():
        if any(column):
            weight = WEIGHTS[name]
            scores = [score + weight * value for score, value in zip(scores, column, strict=True)]
    return scores


def _spread_over_sittings(
    rows: Sequence[PassageRow], best: Iterable[int], scores: Sequence[float]
) -> dict[int, float]:
    """Return the indices in a new order, each with the log of how many of its sitting came before it."""
    counts: Counter[object] = Counter()
    again: dict[int, float] = {}
    for index in best:
        counts[sitting := sitting_key(rows[index])] += 1
        again[index] = math.log(counts[sitting])
    return {i: again[i] for i in sorted(again, key=lambda i: -scores[i] - WEIGHTS[SITTING_AGAIN] * again[i])}


def _ranked_passage(
    query: SearchQuery, row: PassageRow, columns: FeatureColumns, index: int, again: float
) -> RankedPassage:
    values = {name: column[index] for name, column in columns.items()} | {SITTING_AGAIN: again}
    parts = {name: WEIGHTS[name] * value for name, value in values.items() if value}
    held = set(row.stems.split())
    matched = tuple(term for term in query.terms if term in held)
    return RankedPassage(
        row=row, score=1 / (1 + math.exp(MIDPOINT - sum(parts.values()))), parts=parts, matched=matched
    )


NEIGHBOURED_CANDIDATES = 40
_WORDS_FACTOR = 1.5


def select_for_neighbours(
    near: Mapping[str, float], worded: Mapping[str, float], scope: ScopeStatistics
) -> list[str]:
    """Return the ids of the best candidates, whose neighbours are read, by similarity and worth of words.

    A candidate that words alone found counts as similar as the last of the nearest, the most it can be.
    """
    word_unit, vector_unit = match_unit(scope) / _WORDS_FACTOR, deviation_unit(scope)
    floor = min(near.values(), default=0.0)
    rank = {
        row_id: -near.get(row_id, floor) / vector_unit - worded.get(row_id, 0.0) / word_unit
        for row_id in {**near, **worded}
    }
    return sorted(rank, key=lambda row_id: (rank[row_id], row_id))[:NEIGHBOURED_CANDIDATES]
