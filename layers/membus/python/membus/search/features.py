"""What surrounds a passage: its meaning in the scope's own scale, the messages beside it, and its sitting.

The lexical evidence.

BM25 over passages, the share of the question a sitting holds, and its words side by side.

What a passage is, whatever the question's words: who says it, when, how long, which answer it could be.
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
_QUESTION_MARK_CHARACTERS = (
    40  # a question mark among the last characters: the passage asks more than it tells
)
_DATE_FIT_SHARE_MAX = 0.9  # a date that nearly all rows fit tells none of them apart


def trait_columns(query: SearchQuery, gathered: CandidateRows) -> FeatureColumns:
    """Return the columns; a kind of answer that is not asked for is looked for in no row."""
    rows = gathered.rows
    models = {speaker: float(is_model(speaker)) for speaker in {row.speaker for row in rows}}
    said = [
        "" if models[row.speaker] else row.text.lower() for row in rows
    ]  # a model's rules and wishes are not its own
    none = [0.0] * len(rows)
    by_model = [models[row.speaker] for row in rows]
    return {
        "speaker": _named_speakers(query, gathered),
        "by_model": by_model,
        "by_model_of_summary": by_model if query.asks_summary else none,
        "by_model_if_asked": by_model if query.asks_model else none,
        "tells_time": [float(not _TELLS_TIME.isdisjoint(stems)) for stems in gathered.stems]
        if query.asks_time
        else none,
        "instructs": [1.0 if _may_instruct(text) and _INSTRUCTION.search(text) else 0.0 for text in said],
        "prefers_for_advice": (
            [1.0 if _may_prefer(text) and _PREFERENCE.search(text) else 0.0 for text in said]
            if query.asks_advice
            else none
        ),
        "asks": [1.0 if "?" in row.text[-_QUESTION_MARK_CHARACTERS:] else 0.0 for row in rows],
        "date": _date_fits(query, gathered),
        "length": [log(length + 1) / 3 for length in gathered.lengths],
        "message_length": [log(row.message_length + 1) / 5 for row in rows],
        "opening": [1.0 if row.part == 0 else 0.0 for row in rows],
    }


def _may_instruct(text: str) -> bool:
    """Whether it has what no instruction does without: many times cheaper than the pattern."""
    return "ever" in text or "always" in text or "now on" in text or "i ask" in text


def _may_prefer(text: str) -> bool:
    return "prefer" in text or "rather" in text or "fan of" in text


def _named_speakers(query: SearchQuery, gathered: CandidateRows) -> list[float]:
    """Mark what the people named in the question say; when everybody is named, nobody is marked."""
    named = {speaker: _is_named(speaker, query) for speaker in {row.speaker for row in gathered.rows}}
    if all(named.values()) or not any(named.values()):
        return [0.0] * len(gathered.rows)
    return [float(named[row.speaker]) for row in gathered.rows]


def _is_named(speaker: str | None, query: SearchQuery) -> bool:
    return not is_role(speaker) and (speaker or "").lower().partition(" ")[0] in query.words


def _date_fits(query: SearchQuery, gathered: CandidateRows) -> list[float]:
    if not query.periods:
        return [0.0] * len(gathered.rows)
    fits = {day: fit_periods(day, query.periods) for day in {row.occurred_at.date() for row in gathered.rows}}
    column = [fits[row.occurred_at.date()] for row in gathered.rows]
    return column if sum(column) <= _DATE_FIT_SHARE_MAX * len(column) else [0.0] * len(column)
