"""Features of candidates: words, meaning, neighbours, and what a passage is whatever the query says.

Each function returns columns, one value for each row, that the ranking weighs.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import log

from membus.core.text.terms import stem_words
from membus.search.passages import is_model, is_role
from membus.search.query import SearchQuery
from membus.search.query_periods import fit_periods
from membus.search.retrieval import CandidateRows, FeatureColumns, ScopeStatistics

BM25_K1, BM25_B = 1.2, 0.75
"""Lucene's values; passages have one size and turns are short, so neither moves recall by more than 0.005."""
NEIGHBOUR_OFFSETS = {"before": -1, "before_that": -2, "after": 1, "after_that": 2}
# A similar passage lies about three deviations above its scope's mean, whatever the embedding model.
_DEVIATIONS = 3.0
# A message of so many stems, some 80 words, leans on its neighbours half as much as a short one.
_SHORT_STEMS = 40
# A good match is worth about two terms that nothing else holds; their worth grows with the scope.
_RARE_TERMS = 2.0
# More pairs of neighbouring words than these say nothing new.
_PAIRS = 3
# A question mark among so many last characters: the passage asks more than it tells.
_QUESTION_MARK_CHARACTERS = 40
# A period that more than this share of the rows fits tells none of them apart.
_DATE_FIT_SHARE_MAX = 0.9
_TELLS_TIME = frozenset(str(year) for year in range(2000, 2100)) | frozenset(
    stem_words(
        "yesterday today tonight tomorrow ago last next since recently morning summer weekend week month year day "
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december"
    )
)
_INSTRUCTION = re.compile(
    r"^\W*(?:please |and |also )?(?:always|never|from now on|do not ever|don't ever)\b|\bfrom now on\b"
    r"|\bwhen(?:ever)? i ask\b|\b(?:always|never) \w+ [^.?!]*\bwhen(?:ever)? i\b"
)
_PREFERENCE = re.compile(
    r"\b(?:i|we)(?:'d| would)? (?:\w+ )?(?:prefer|rather)\b|\bmy preference|\bi(?:'m| am) not a fan of"
)
# Each pattern needs one of these words, and to look for them is many times cheaper.
_INSTRUCTION_WORDS = ("ever", "always", "now on", "i ask")
_PREFERENCE_WORDS = ("prefer", "rather", "fan of")


def vector_columns(candidates: CandidateRows, scope: ScopeStatistics) -> FeatureColumns:
    """Return similarities as deviations above the scope's mean, so that no embedding model's scale counts."""
    mean, unit = scope.similarity_mean, deviation_unit(scope)
    similarities = [row.similarity for row in candidates.rows]
    return {"meaning": [0.0 if each is None else (each - mean) / unit for each in similarities]}


def deviation_unit(scope: ScopeStatistics) -> float:
    """Return how far above the mean of the scope a similarity counts as 1."""
    return (scope.similarity_deviation or 1.0) * _DEVIATIONS


def context_columns(candidates: CandidateRows, words: list[float], meaning: list[float]) -> FeatureColumns:
    """Return the scores of each passage's neighbours, less for long messages, and the best of its sitting."""
    scores = {"words": words, "meaning": meaning}
    columns = {
        f"{name}_{side}": [0.0] * len(column) for name, column in scores.items() for side in NEIGHBOUR_OFFSETS
    }
    shortness = [1 / (1 + (row.message_length / _SHORT_STEMS) ** 2) for row in candidates.rows]
    for positions in candidates.sessions.values():
        if len(positions) > 1:
            _add_neighbour_scores(positions, scores, columns, shortness)
    return columns | {
        f"session_{name}": _best_of(candidates.sittings.values(), column) for name, column in scores.items()
    }


def _add_neighbour_scores(
    positions: Mapping[int, list[int]],
    scores: FeatureColumns,
    columns: FeatureColumns,
    shortness: list[float],
) -> None:
    """Fill the columns of one session's messages with the best passage of each neighbour."""
    for name, column in scores.items():
        best = {position: _best_score(members, column) for position, members in positions.items()}
        for side, offset in NEIGHBOUR_OFFSETS.items():
            neighbours = columns[f"{name}_{side}"]
            for position, members in positions.items():
                if score := best.get(position + offset):
                    for i in members:
                        neighbours[i] = score * shortness[i]


def _best_score(members: Sequence[int], column: Sequence[float]) -> float:
    return column[members[0]] if len(members) == 1 else max([column[i] for i in members])


def _best_of(groups: Iterable[list[int]], column: list[float]) -> list[float]:
    best = [0.0] * len(column)
    for members in groups:
        value = _best_score(members, column)
        for i in members:
            best[i] = value
    return best


def match_unit(scope: ScopeStatistics) -> float:
    """Return the worth of words that counts as 1 in the scope."""
    return _RARE_TERMS * _term_weight(1, scope)


def lexical_columns(query: SearchQuery, candidates: CandidateRows, scope: ScopeStatistics) -> FeatureColumns:
    """Return BM25, the share of the query that a sitting holds, and the query's words side by side."""
    frequencies = {term: scope.frequencies.get(term, 0) for term in query.terms}
    weights = {term: _term_weight(rows, scope) for term, rows in frequencies.items() if rows}
    counts = [_count_terms([stem for stem in stems if stem in weights]) for stems in candidates.stems]
    average, unit = scope.average_length or 1.0, match_unit(scope)
    return {
        "words": [
            _bm25(weights, held, length / average) / unit if held else 0.0
            for held, length in zip(counts, candidates.lengths, strict=True)
        ],
        "session_share": _shares(candidates.sittings.values(), counts, weights),
        "phrase": [
            _phrase(query, stems) if len(held) > 1 else 0.0
            for held, stems in zip(counts, candidates.stems, strict=True)
        ],
    }


def _count_terms(terms: Iterable[str]) -> dict[str, int]:
    """Count terms; a `Counter` costs five times as much for the two or three there are."""
    counts: dict[str, int] = {}
    for term in terms:
        counts[term] = counts.get(term, 0) + 1
    return counts


def _term_weight(rows_with: int, scope: ScopeStatistics) -> float:
    """Return the weight of a term by how few rows of the scope hold it."""
    return math.log(1 + (max(scope.rows, rows_with) - rows_with + 0.5) / (rows_with + 0.5))


def _bm25(weights: Mapping[str, float], counts: Mapping[str, int], length: float) -> float:
    saturation = BM25_K1 * (1 - BM25_B + BM25_B * length)
    return sum([weights[term] * tf * (BM25_K1 + 1) / (tf + saturation) for term, tf in counts.items()])


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


def trait_columns(query: SearchQuery, candidates: CandidateRows) -> FeatureColumns:
    """Return who says a passage, when, how long it is and what it may answer; what is not asked for is 0."""
    rows, none = candidates.rows, [0.0] * len(candidates.rows)
    models = {speaker: float(is_model(speaker)) for speaker in {row.speaker for row in rows}}
    by_model = [models[row.speaker] for row in rows]
    # A model's rules and wishes are not its own.
    texts = ["" if models[row.speaker] else row.text.lower() for row in rows]
    tells_time = none
    if query.asks_time:
        tells_time = [float(not _TELLS_TIME.isdisjoint(stems)) for stems in candidates.stems]
    return {
        "speaker": _named_speakers(query, candidates),
        "by_model": by_model,
        "by_model_of_summary": by_model if query.asks_summary else none,
        "by_model_if_asked": by_model if query.asks_model else none,
        "tells_time": tells_time,
        "instructs": _matches(texts, _INSTRUCTION, _INSTRUCTION_WORDS),
        "prefers_for_advice": (
            _matches(texts, _PREFERENCE, _PREFERENCE_WORDS) if query.asks_advice else none
        ),
        "asks": [float("?" in row.text[-_QUESTION_MARK_CHARACTERS:]) for row in rows],
        "date": _date_fits(query, candidates),
        "length": [log(length + 1) / 3 for length in candidates.lengths],
        "message_length": [log(row.message_length + 1) / 5 for row in rows],
        "opening": [float(row.part == 0) for row in rows],
    }


def _matches(texts: list[str], pattern: re.Pattern[str], words: Sequence[str]) -> list[float]:
    return [1.0 if any(word in text for word in words) and pattern.search(text) else 0.0 for text in texts]


def _named_speakers(query: SearchQuery, candidates: CandidateRows) -> list[float]:
    """Mark what people say whom the query names; where it names all of them, mark nothing."""
    named = {speaker: _is_named(speaker, query) for speaker in {row.speaker for row in candidates.rows}}
    if all(named.values()) or not any(named.values()):
        return [0.0] * len(candidates.rows)
    return [float(named[row.speaker]) for row in candidates.rows]


def _is_named(speaker: str | None, query: SearchQuery) -> bool:
    return not is_role(speaker) and (speaker or "").lower().partition(" ")[0] in query.words


def _date_fits(query: SearchQuery, candidates: CandidateRows) -> list[float]:
    if not query.periods:
        return [0.0] * len(candidates.rows)
    days = [row.occurred_at.date() for row in candidates.rows]
    fits = {day: fit_periods(day, query.periods) for day in set(days)}
    column = [fits[day] for day in days]
    return column if sum(column) <= _DATE_FIT_SHARE_MAX * len(column) else [0.0] * len(column)
