"""What surrounds a passage: its meaning in the scope's own scale, the messages beside it, and its sitting."""

from collections.abc import Iterable, Mapping, Sequence

from membus.domain.search.rows import CandidateRows, FeatureColumns, ScopeStatistics

_DEVIATIONS = 3.0  # a close passage lies about three deviations above its scope's mean, whatever the embedder
_SHORT_STEMS = (
    40  # a message of this many stems (some 80 words) leans on its neighbours half as much as a short one
)
NEIGHBOUR_OFFSETS = {"before": -1, "before_that": -2, "after": 1, "after_that": 2}


def vector_columns(gathered: CandidateRows, scope: ScopeStatistics) -> FeatureColumns:
    """Measure closeness in deviations above the scope's mean: no embedder's own scale gets through."""
    mean, good = scope.similarity_mean, deviation_unit(scope)
    similarities = [row.similarity for row in gathered.rows]
    return {"meaning": [0.0 if each is None else (each - mean) / good for each in similarities]}


def deviation_unit(scope: ScopeStatistics) -> float:
    """Return how far above the mean of the scope a similarity counts as 1."""
    return (scope.similarity_deviation or 1.0) * _DEVIATIONS


def context_columns(gathered: CandidateRows, words: list[float], meaning: list[float]) -> FeatureColumns:
    """Hand a passage its neighbours' scores, less the longer its own message is, and its sitting's best."""
    scores = {"words": words, "meaning": meaning}
    columns = {
        f"{name}_{side}": [0.0] * len(column) for name, column in scores.items() for side in NEIGHBOUR_OFFSETS
    }
    shortness = [1 / (1 + (row.message_length / _SHORT_STEMS) ** 2) for row in gathered.rows]
    for places in gathered.sessions.values():
        if len(places) > 1:
            _add_neighbour_scores(places, scores, columns, shortness)
    return columns | {
        f"session_{name}": _best_of(gathered.sittings.values(), column) for name, column in scores.items()
    }


def _add_neighbour_scores(
    places: Mapping[int, list[int]], scores: FeatureColumns, columns: FeatureColumns, shortness: list[float]
) -> None:
    """Fill in what the messages of one session have of those beside them: the best passage of each."""
    for name, column in scores.items():
        best = {place: _best_score(members, column) for place, members in places.items()}
        for side, offset in NEIGHBOUR_OFFSETS.items():
            handed = columns[f"{name}_{side}"]
            for place, members in places.items():
                if near := best.get(place + offset):
                    for i in members:
                        handed[i] = near * shortness[i]


def _best_score(members: Sequence[int], column: Sequence[float]) -> float:
    return column[members[0]] if len(members) == 1 else max([column[i] for i in members])


def _best_of(groups: Iterable[list[int]], column: list[float]) -> list[float]:
    best = [0.0] * len(column)
    for members in groups:
        value = _best_score(members, column)
        for i in members:
            best[i] = value
    return best
