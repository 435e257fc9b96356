"""The lexical evidence: BM25 over passages, the share of the question found, and its words side by side."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise

from membus.domain.search.query import Query
from membus.domain.search.rows import Columns, Gathered, Scope

K1, B = 1.2, 0.75  # Lucene's; passages are of one size and turns short, so neither moves recall by more than 0.005
_TYPICAL_BEST = 10.0  # a good match scores about this much; brings the columns to one order of magnitude
_PAIRS = 3  # more than three pairs side by side say nothing new


def inverse_frequencies(query: Query, scope: Scope) -> dict[str, float]:
    """Weigh each term of the question by how few rows of the scope hold it; terms that none holds are left out."""
    counts = {term: scope.frequencies.get(term, 0) for term in query.terms}
    return {term: math.log(1 + (scope.rows - df + 0.5) / (df + 0.5)) for term, df in counts.items() if df}


def lexical_columns(query: Query, gathered: Gathered, scope: Scope) -> Columns:
    weights = inverse_frequencies(query, scope)
    mass = sum(weights.values()) or 1.0
    counts = [Counter(stem for stem in stems if stem in weights) for stems in gathered.stems]
    scores = [
        _bm25(weights, held, len(stems) / (scope.average_length or 1.0))
        for held, stems in zip(counts, gathered.stems, strict=True)
    ]
    best = max(scores, default=0.0) or 1.0
    return {
        "words": [score / _TYPICAL_BEST for score in scores],
        "words_of_best": [score / best for score in scores],
        "share": [_mass(weights, held) / mass for held in counts],
        "message_share": _shares(gathered.messages.values(), counts, weights, mass),
        "session_share": _shares(gathered.sessions.values(), counts, weights, mass),
        "phrase": [_phrase(query, stems) if held else 0.0 for held, stems in zip(counts, gathered.stems, strict=True)],
    }


def _bm25(weights: Mapping[str, float], held: Mapping[str, int], length: float) -> float:
    saturation = K1 * (1 - B + B * length)
    return sum(weights[term] * tf * (K1 + 1) / (tf + saturation) for term, tf in held.items())


def _mass(weights: Mapping[str, float], held: Iterable[str]) -> float:
    return sum(weights[term] for term in held)


def _shares(
    groups: Iterable[list[int]], counts: list[Counter[str]], weights: Mapping[str, float], mass: float
) -> list[float]:
    shares = [0.0] * len(counts)
    for members in groups:
        share = _mass(weights, set().union(*(counts[i] for i in members))) / mass
        for i in members:
            shares[i] = share
    return shares


def _phrase(query: Query, stems: list[str]) -> float:
    found = sum(pair in query.pairs for pair in pairwise(stems))
    return min(found, _PAIRS) / _PAIRS
