"""Search query: the stems of a question, the days it names, and the kind of answer it asks for."""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from membus.core.text.terms import split_words, stem_words
from membus.search.query_periods import QueryPeriod, parse_query_periods

_ASKS_TIME = re.compile(
    r"\b(?:when|what (?:date|day|month|year|time)|how long|how many (?:days|weeks|months|years)"
    r"|which (?:year|month|day)|order|first|last|since)\b",
    re.IGNORECASE,
)
_ASKS_SUMMARY = re.compile(r"\b(?:summar\w+|overview|recap)\b", re.IGNORECASE)
_OVERVIEW = re.compile(
    r"\b(?:summar\w+|overview|recap|timeline|in order|order in which|walk me through|throughout|across|over time|so far"
    r"|progress(?:ed|ion)?|evolved?|our (?:conversations?|chats?|discussions?|sessions?))\b",
    re.IGNORECASE,
)
_ASKS_ADVICE = re.compile(
    r"\b(?:suggest\w*|recommend\w*|advi[cs]e|tips|ideas|options|should i|how (?:can|do|should|would|could) (?:i|you|we)"
    r"|help me|show me|walk me|explain)\b",
    re.IGNORECASE,
)
_ASKS_MODEL = re.compile(
    r"\bdid you\b|\byou(?: have| had|'ve|'d)? (?:said|told|suggested|recommended|advised|gave|given|explained|provided"
    r"|proposed|mentioned|listed|showed|shown|wrote|written)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SearchQuery:
    """`terms` are the distinct stems in order, `pairs` the stems that follow each other.

    An `overview` asks for many sittings, not for one passage; `asks_model` for what the model itself said.
    """

    text: str
    terms: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    words: frozenset[str]
    periods: tuple[QueryPeriod, ...]
    asks_time: bool
    asks_summary: bool
    asks_advice: bool
    asks_model: bool
    overview: bool


def parse_query(text: str, *, now: date) -> SearchQuery:
    """Return the query of a question that is asked on the day `now`, from which «last week» counts."""
    stems = stem_words(text)
    return SearchQuery(
        text=text,
        terms=tuple(dict.fromkeys(stems)),
        pairs=frozenset(pairwise(stems)),
        words=frozenset(word.partition("'")[0] for word in split_words(text)),
        periods=parse_query_periods(text, now),
        asks_time=bool(_ASKS_TIME.search(text)),
        asks_summary=bool(_ASKS_SUMMARY.search(text)),
        asks_advice=bool(_ASKS_ADVICE.search(text)),
        asks_model=bool(_ASKS_MODEL.search(text)),
        overview=bool(_OVERVIEW.search(text)),
    )
