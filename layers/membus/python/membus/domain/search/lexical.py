"""The lexical evidence.

BM25 over passages, the share of the question a sitting holds, and its words side by side.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise

from membus.domain.search.query import SearchQuery
from membus.domain.search.rows import CandidateRows, FeatureColumns, ScopeStatistics

BM25_K1, BM25_B = (
    1.2,
    0.75,
)  # Lucene's; passages are of one size and turns short, so neither moves recall by more than 0.005
_RARE_TERMS = (
    2.0  # a good match is worth about two terms that nothing else holds; their worth grows with the scope
)
_PAIRS = 3  # more than three pairs side by side say nothing new


def inverse_frequencies(query: SearchQuery, scope: ScopeStatistics) -> dict[str, float]:
    """Weigh each term of the question by how few rows of the scope hold it.

    Terms that none holds are left out.
    """
    counts = {term: scope.frequencies.get(term, 0) for term in query.terms}
    return {term: _term_weight(df, scope) for term, df in counts.items() if df}


def match_unit(scope: ScopeStatistics) -> float:
    """Return the worth that counts as 1 in the scope."""
    return _RARE_TERMS * _term_weight(1, scope)


def lexical_columns(query: SearchQuery, gathered: CandidateRows, scope: ScopeStatistics) -> FeatureColumns:
    weights = inverse_frequencies(query, scope)
    counts = [_term_counts([stem for stem in stems if stem in weights]) for stems in gathered.stems]
    average, unit = scope.average_length or 1.0, match_unit(scope)
    return {
        "words": [
            _bm25(weights, held, length / average) / unit if held else 0.0
            for held, length in zip(counts, gathered.lengths, strict=True)
        ],
        "session_share": _shares(gathered.sittings.values(), counts, weights),
        "phrase": [
            _phrase(query, stems) if len(held) > 1 else 0.0
            for held, stems in zip(counts, gathered.stems, strict=True)
        ],
    }


def _term_counts(held: Iterable[str]) -> dict[str, int]:
    """Return how often each term occurs.

    A `Counter` costs five times as much for the two or three there are.
    """
    counts: dict[str, int] = {}
    for term in held:
        counts[term] = counts.get(term, 0) + 1
    return counts


def _term_weight(held_by: int, scope: ScopeStatistics) -> float:
    return math.log(1 + (max(scope.rows, held_by) - held_by + 0.5) / (held_by + 0.5))


def _bm25(weights: Mapping[str, float], held: Mapping[str, int], length: float) -> float:
    saturation = BM25_K1 * (1 - BM25_B + BM25_B * length)
    return sum([weights[term] * tf * (BM25_K1 + 1) / (tf + saturation) for term, tf in held.items()])


def _shares(
    groups: Iterable[list[int]], counts: list[dict[str, int]], weights: Mapping[str, float]
) -> list[float]:
    shares = [0.0] * len(counts)
    mass = sum(weights.values()) or 1.0
    for members in groups:
        if held := set().union(*[counts[i] for i in members]):
            share = sum([weight for term, weight in weights.items() if term in held]) / mass
            for i in members:
                shares[i] = share
    return shares


def _phrase(query: SearchQuery, stems: list[str]) -> float:
    found = sum(map(query.pairs.__contains__, pairwise(stems)))
    return min(found, _PAIRS) / _PAIRS
