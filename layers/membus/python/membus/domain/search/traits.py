"""What a passage is, whatever the question's words: who says it, when, how long, which answer it could be."""

import math
import re
from collections.abc import Sequence

from membus.domain.search.query import Query
from membus.domain.search.rows import Columns, Gathered, Row
from membus.domain.search.speakers import is_model, is_role
from membus.domain.search.times import fit

_TIME = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|last|next|this (?:week|month|year|morning|summer|weekend)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|20\d\d|since|recently|week(?:end)?s?|months?|years?|days?)\b",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"^\W*(?:please |and |also )?(?:always|never|from now on|do not ever|don't ever)\b|\bfrom now on\b"
    r"|\bwhen(?:ever)? i ask\b|\b(?:always|never) \w+ [^.?!]*\bwhen(?:ever)? i\b",
    re.IGNORECASE,
)
_PREFERENCE = re.compile(
    r"\b(?:i|we)(?:'d| would)? (?:\w+ )?(?:prefer|rather)\b|\bmy preference|\bi(?:'m| am) not a fan of",
    re.IGNORECASE,
)
_END = 40  # a question mark among the last characters: the passage asks more than it tells
_EVERYWHERE = 0.9  # a date that nearly all rows fit tells none of them apart


def trait_columns(query: Query, gathered: Gathered) -> Columns:
    rows = gathered.rows
    by_model = [float(is_model(row.speaker)) for row in rows]
    return {
        "speaker": _named_speakers(query, gathered),
        "by_model": by_model,
        "by_model_of_summary": [value * query.asks_summary for value in by_model],
        "early_of_overview": [query.overview / math.log(math.e + row.position) for row in rows],
        "tells_time": _telling(_TIME, rows) if query.asks_time else [0.0] * len(rows),
        "instructs": _by_person(_telling(_INSTRUCTION, rows), by_model),
        "prefers_for_advice": (
            _by_person(_telling(_PREFERENCE, rows), by_model) if query.asks_advice else [0.0] * len(rows)
        ),
        "asks": [float("?" in row.text[-_END:]) for row in rows],
        "date": _dates(query, gathered),
        "length": [math.log(len(stems) + 1) / 3 for stems in gathered.stems],
        "message_length": [math.log(row.message_length + 1) / 5 for row in rows],
        "opening": [float(row.part == 0) for row in rows],
    }


def _telling(pattern: re.Pattern[str], rows: Sequence[Row]) -> list[float]:
    return [float(bool(pattern.search(row.text))) for row in rows]


def _by_person(column: list[float], by_model: list[float]) -> list[float]:
    return [value * (1 - model) for value, model in zip(column, by_model, strict=True)]


def _named_speakers(query: Query, gathered: Gathered) -> list[float]:
    """Mark what the people named in the question say; when everybody is named, nobody is marked."""
    named = {speaker: _is_named(speaker, query) for speaker in {row.speaker for row in gathered.rows}}
    return [float(named[row.speaker]) if not all(named.values()) else 0.0 for row in gathered.rows]


def _is_named(speaker: str | None, query: Query) -> bool:
    return not is_role(speaker) and (speaker or "").lower().partition(" ")[0] in query.words


def _dates(query: Query, gathered: Gathered) -> list[float]:
    days = {row.occurred_at.date() for row in gathered.rows} if query.periods else set()
    fits = {day: fit(day, query.periods) for day in days}
    column = [fits.get(row.occurred_at.date(), 0.0) for row in gathered.rows]
    return column if sum(column) <= _EVERYWHERE * len(column) else [0.0] * len(column)
