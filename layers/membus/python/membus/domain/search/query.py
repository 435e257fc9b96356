"""A question read once: its stems, the days it names, and what kind of answer it asks for."""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from membus.domain.search.terms import stems, words
from membus.domain.search.times import Period, read_periods

_ASKS_TIME = re.compile(
    r"\b(?:when|what (?:date|day|month|year|time)|how long|how many (?:days|weeks|months|years)"
    r"|which (?:year|month|day)|order|first|last|since)\b",
    re.IGNORECASE,
)
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|often)|what (?:is the )?(?:percentage|number|amount|price|total|score)|average"
    r"|percentage|when)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|my|me|mine)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """`terms` are the distinct stems in their order, `pairs` those that stand side by side."""

    text: str
    terms: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    words: frozenset[str]
    periods: tuple[Period, ...]
    asks_time: bool
    asks_number: bool
    first_person: bool


def read_query(text: str, *, now: date) -> Query:
    """Read the question as asked on the day `now`, which «last week» counts from."""
    said = stems(text)
    return Query(
        text=text,
        terms=tuple(dict.fromkeys(said)),
        pairs=frozenset(pairwise(said)),
        words=frozenset(word.partition("'")[0] for word in words(text)),
        periods=read_periods(text, now),
        asks_time=bool(_ASKS_TIME.search(text)),
        asks_number=bool(_ASKS_NUMBER.search(text)),
        first_person=bool(_FIRST_PERSON.search(text)),
    )
