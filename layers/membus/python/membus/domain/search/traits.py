"""What a passage is, whatever the question's words: who says it, when, how long, which answer it could be."""

import re
from math import log

from membus.domain.search.query import SearchQuery
from membus.domain.search.rows import CandidateRows, FeatureColumns
from membus.domain.search.speakers import is_model, is_role
from membus.domain.search.terms import stem_words
from membus.domain.search.times import fit_periods

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
