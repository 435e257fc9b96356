"""The ranking of a search.

Every column of evidence for every gathered passage, weighed and brought to 0…1.

Which candidates are judged together with what was said beside them.

The best by what they say themselves.
"""

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
    """`score` is the estimated chance that the passage is evidence; `parts` add up to its log odds."""

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
    """Return the best passage of each message, best first; a message's further passages would only repeat it.

    What `may_answer` refuses helps to judge its neighbours, and no more.
    """
    columns = feature_columns(query, CandidateRows(rows), scope)
    scores = weigh_features(columns, len(rows))
    best: dict[str, int] = {}
    for index in sorted(range(len(rows)), key=lambda i: (-scores[i], rows[i].id)):
        if len(best) == limit and not query.overview:
            break
        if may_answer is None or may_answer(rows[index]):
            best.setdefault(rows[index].group_id, index)
    chosen = (
        _over_sittings(rows, best.values(), scores) if query.overview else dict.fromkeys(best.values(), 0.0)
    )
    return [_ranked_passage(query, rows[i], columns, i, again) for i, again in list(chosen.items())[:limit]]


def feature_columns(query: SearchQuery, gathered: CandidateRows, scope: ScopeStatistics) -> FeatureColumns:
    lexical = lexical_columns(query, gathered, scope)
    vector = vector_columns(gathered, scope)
    context = context_columns(gathered, lexical["words"], vector["meaning"])
    return lexical | vector | context | trait_columns(query, gathered)


def weigh_features(columns: FeatureColumns, count: int) -> list[float]:
    """Return the log odds of `count` rows, but for a constant."""
    scores = [0.0] * count
    for name, column in columns.items():
        if any(column):
            weight = WEIGHTS[name]
            scores = [score + weight * value for score, value in zip(scores, column, strict=True)]
    return scores


def _over_sittings(
    rows: Sequence[PassageRow], best: Iterable[int], scores: Sequence[float]
) -> dict[int, float]:
    """Return the indices in a new order, each with the log of how often its sitting has been heard by then."""
    heard: Counter[object] = Counter()
    again: dict[int, float] = {}
    for index in best:
        heard[sitting := sitting_key(rows[index])] += 1
        again[index] = math.log(heard[sitting])
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
    """Return the ids of those, best first, of candidates with their similarity, and with the worth of their words.

    What the words alone found is taken for as close as the last of the nearest: it can be no closer.
    """
    match, good, floor = (
        match_unit(scope) / _WORDS_FACTOR,
        deviation_unit(scope),
        min(near.values(), default=0.0),
    )
    promise = {
        row_id: -near.get(row_id, floor) / good - worded.get(row_id, 0.0) / match
        for row_id in {**near, **worded}
    }
    return sorted(promise, key=lambda row_id: (promise[row_id], row_id))[:NEIGHBOURED_CANDIDATES]
