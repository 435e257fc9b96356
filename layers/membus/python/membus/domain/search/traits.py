"""What a passage is, whatever the question's words: who says it, when, how long, which answer it could be."""

import math
import re

from membus.domain.search.query import Query
from membus.domain.search.rows import Columns, Gathered, Row
from membus.domain.search.times import fit

_TIME = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|last|next|this (?:week|month|year|morning|summer|weekend)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|20\d\d|since|recently|week(?:end)?s?|months?|years?|days?)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|twice|once)\b", re.IGNORECASE)
_END = 40  # a question mark among the last characters: the passage asks more than it tells
_EVERYWHERE = 0.9  # a date that nearly all rows fit tells none of them apart


def trait_columns(query: Query, gathered: Gathered) -> Columns:
    rows = gathered.rows
    by_model = [float(row.speaker == "assistant") for row in rows]
    return {
        "speaker": _named_speakers(query, gathered),
        "by_model": by_model,
        "by_model_of_me": [value * query.first_person for value in by_model],
        "tells_time": [float(query.asks_time and bool(_TIME.search(row.text))) for row in rows],
        "tells_number": [float(query.asks_number and bool(_NUMBER.search(row.text))) for row in rows],
        "asks": [float("?" in row.text[-_END:]) for row in rows],
        "date": _dates(query, gathered),
        "length": [math.log(len(stems) + 1) / 3 for stems in gathered.stems],
        "message_length": [math.log(row.message_length + 1) / 5 for row in rows],
        "opening": [float(row.part == 0) for row in rows],
    }


def _named_speakers(query: Query, gathered: Gathered) -> list[float]:
    """Mark what the people named in the question say; when everybody is named, nobody is marked."""
    marked = [float(_first_name(row) in query.words) for row in gathered.rows]
    return marked if not all(marked) else [0.0] * len(marked)


def _first_name(row: Row) -> str:
    return (row.speaker or "").lower().partition(" ")[0]


def _dates(query: Query, gathered: Gathered) -> list[float]:
    days = {row.occurred_at.date() for row in gathered.rows} if query.periods else set()
    fits = {day: fit(day, query.periods) for day in days}
    column = [fits.get(row.occurred_at.date(), 0.0) for row in gathered.rows]
    return column if sum(column) <= _EVERYWHERE * len(column) else [0.0] * len(column)
