"""Validity: when a statement began and ended to be true, by its words and the day on which they were said."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from membus.core.text.time_expressions import (
    COUNT,
    EARLIEST_YEAR,
    UNIT,
    TimeExpression,
    date_before,
    find_time_expressions,
)
from membus.core.text.translated_dates import translate_dates
from membus.facts.attributes import INTENDED_ATTRIBUTES
from membus.facts.validation.evidence import Evidence, own_clause
from membus.facts.validation.stance import NARRATED_ATTRIBUTES, TIMELESS_ATTRIBUTES

_SINCE = re.compile(r"\b(?:since|from|starting|as of|seit|desde|depuis|dal)\b[^.;]{0,12}$")
_UNTIL = re.compile(r"\b(?:until|till|through|up to|bis|hasta|até|jusqu'en|fino al)\b[^.;]{0,12}$")
_BOTH = re.compile(r"\b(?:from|between)\b[^.;]{0,8}$")
_TO = re.compile(r"^\W*(?:to|and|until|till|through|-|–)\W*(?:(?:the )?(?:end of )?)$")
_LASTING = re.compile(
    rf"\b(?:for(?: (?:about|over|almost|nearly|the (?:last|past)))?|these|past|last) {COUNT} {UNIT}\b(?! ago)"
)
_PERFECT = re.compile(r"\b(?:have|has|'ve|'s|been)\b|\b(?:i|we) (?:am|are)\b")
_TAKES_PLACE = re.compile(r"\b(?:is|are|'s|will be|takes? place|starts?|begins?|coming|upcoming|due)\b")
"""An event that is, not was, on a day: the day is the next of its name."""
_BEGINS = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are)?(?: (?:also|officially|finally|only))? (?:start|begin|join|move|leave|retire|graduate|fly"
    r"|travel"
    r"|starting|beginning|joining|moving|leaving|retiring|graduating|flying|travell?ing|going|getting|visiting)\b"
)
"""What is said in the present of a day is still to come: «I start at Acme on Monday»."""
_BY = re.compile(r"\b(?:by|before|until|till|within)\b[^.;]{0,16}$")
_BETWEEN = re.compile(r"\bbetween (.{3,25}?) and ")
_YEAR_BEHIND = re.compile(r",(?= (?:19|20)\d\d\b)")
_YEAR_AND_A_HALF = re.compile(r"\b(?:a|one) year and a half\b|\bone and a half years\b")
_OPENING, _OPENING_LETTERS = 4, 9
"""The most words of a clause before the statement that is its time («Last March, I moved»), and letters of one."""


@dataclass(frozen=True)
class ValidityPeriod:
    """The time in which a statement is true; `ahead` says that it has not begun."""

    begins: datetime | None = None
    ends: datetime | None = None
    ahead: bool = False


def speaker_zone(said_at: datetime, *names: object) -> tzinfo:
    """Return the time zone of the speaker's days: the event's offset, else the first name of a zone.

    An offset of zero is how most producers write an instant, not where a user lives: a named zone comes
    first.
    """
    if said_at.utcoffset():
        return said_at.tzinfo or ZoneInfo("UTC")
    zones = (find_zone(name) for name in names if isinstance(name, str))
    return next((zone for zone in zones if zone), said_at.tzinfo or ZoneInfo("UTC"))


def find_zone(name: str) -> tzinfo | None:
    """Return the zone of an IANA name in any case, an offset (`UTC-8`, `+05:45`) or a common name.

    None if unknown. A name of a zone with summer time («PST», «Pacific Time») is the place's, whatever the
    season.
    """
    said = " ".join(name.split()).casefold()
    offset = _OFFSET.fullmatch(said)
    if offset:
        minutes = int(offset["hours"]) * 60 + int(offset["minutes"] or 0)
        if minutes > _OFFSET_MINUTES_MAX:
            return None
        return timezone(timedelta(minutes=-minutes if offset["sign"] in "-−" else minutes))
    return _zone(_ZONE_NAMES.get(said.removesuffix(" time").removesuffix(" standard"), said))


@cache
def _zone(name: str) -> tzinfo | None:
    known = next((each for each in available_timezones() if each.casefold() == name.replace(" ", "_")), None)
    return ZoneInfo(known) if known else None


_OFFSET = re.compile(r"(?:utc|gmt)? ?(?P<sign>[+\-−])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?")
_OFFSET_MINUTES_MAX = 14 * 60
_ZONE_NAMES = {
    **dict.fromkeys(("pst", "pdt", "pt", "pacific"), "america/los_angeles"),
    **dict.fromkeys(("mst", "mdt", "mountain"), "america/denver"),
    **dict.fromkeys(("cst", "cdt", "central"), "america/chicago"),
    **dict.fromkeys(("est", "edt", "et", "eastern"), "america/new_york"),
    **dict.fromkeys(("gmt", "utc", "z", "zulu"), "utc"),
    **dict.fromkeys(("bst", "uk", "london"), "europe/london"),
    **dict.fromkeys(("cet", "cest", "central european", "mez", "mesz"), "europe/berlin"),
    **dict.fromkeys(("eet", "eest"), "europe/helsinki"),
    **dict.fromkeys(("wet", "west"), "europe/lisbon"),
    **dict.fromkeys(("ist", "india"), "asia/kolkata"),
    **dict.fromkeys(("jst", "japan"), "asia/tokyo"),
    **dict.fromkeys(("aest", "aedt"), "australia/sydney"),
}


def find_validity(evidence: Evidence, attribute: str, said_at: datetime, zone: tzinfo) -> ValidityPeriod:
    """Return the validity that the words name, counted from the speaker's day on which they were said.

    A plan for a day ends with that day; any other statement about a day to come is not true yet. A date that
    is the value itself, such as a birthday, dates nothing.
    """
    today = said_at.astimezone(zone).date()
    root = attribute.split(".", 1)[0]
    if root in TIMELESS_ATTRIBUTES:
        return ValidityPeriod()
    text = translate_dates(_dating_words(evidence, keep_value=root in NARRATED_ATTRIBUTES))
    takes_place = root == "event" and _TAKES_PLACE.search(text) is not None
    is_coming = root in INTENDED_ATTRIBUTES or takes_place or _BEGINS.search(text) is not None
    found = find_time_expressions(text, today, ahead=is_coming)
    expressions = [each for each in found if not each.is_bare]
    lasting = _LASTING.search(text)
    if lasting and _PERFECT.search(text):
        begun = date_before(today, lasting["count"], lasting["unit"])
        return ValidityPeriod(begins=_start(begun, zone)) if begun.year >= EARLIEST_YEAR else ValidityPeriod()
    if not expressions:
        return ValidityPeriod()
    return _validity(text, expressions, root, today, zone)


def _validity(
    text: str, expressions: list[TimeExpression], root: str, today: date, zone: tzinfo
) -> ValidityPeriod:
    first = expressions[0]
    before = text[: first.span[0]] + _preposition(text, first)
    if len(expressions) > 1:
        second = expressions[1]
        between = text[first.span[1] : second.span[0]] + _preposition(text, second)
        is_range = _BOTH.search(before) and _TO.match(between)
        if is_range or (_SINCE.search(before) and _UNTIL.search(between)):
            return ValidityPeriod(begins=_start(first.first, zone), ends=_end(second, zone))
    is_intended = root in INTENDED_ATTRIBUTES
    lasts = first.last >= today and not _SINCE.search(before)
    if _UNTIL.search(before) or (is_intended and lasts and (_BY.search(before) or first.first <= today)):
        return ValidityPeriod(ends=_end(first, zone))
    if first.first <= today:
        return ValidityPeriod(begins=_start(first.first, zone) if first.first < today else None)
    if is_intended:
        return ValidityPeriod(ends=_end(first, zone))
    return ValidityPeriod(begins=_start(first.first, zone), ahead=root not in NARRATED_ATTRIBUTES)


TIMED_ATTRIBUTES = frozenset(
    {*INTENDED_ATTRIBUTES, "event", "experience", "appointment", "trip", "deadline", "task"}
)
"""Attributes whose values may hold a time: «flying to Rome next month»."""
_RELATIVE = re.compile(
    r"\b(?:next|last|past|this|coming|today|tonight|tomorrow|yesterday|ago|monday|tuesday|wednesday|thursday|friday|saturday"
    r"|sunday)\b"
    r"|\bin (?:an?|\d+|[a-z]+) (?:day|week|month|year)s?\b"
)
_PREPOSITION = re.compile(r"^(?:since|until|till|by|from)\b")


def date_value(value: str, attribute: str, said_at: datetime, zone: tzinfo) -> str:
    """Return a value with the dates that its relative words meant on the day on which it was said.

    «Flying to Rome next month», said in March 2026, is «flying to Rome in April 2026».
    """
    text = value.casefold()
    if attribute.split(".", 1)[0] not in TIMED_ATTRIBUTES or len(text) != len(value):
        return value
    today = said_at.astimezone(zone).date()
    is_ahead = attribute.split(".", 1)[0] in INTENDED_ATTRIBUTES
    for each in reversed(find_time_expressions(text, today, ahead=is_ahead)):
        start, end = each.span
        if _RELATIVE.search(text[start:end]):
            value = f"{value[:start]}{_name_days(each, text)}{value[end:]}"
    return value


YEAR = timedelta(days=364)


def _name_days(expression: TimeExpression, text: str) -> str:
    """Return the days of an expression in words, after the preposition that stands there or belongs to them."""
    start, end = expression.span
    first, last = expression.first, expression.last
    opening = _PREPOSITION.match(text[start:end])
    is_led = (
        re.search(r"\b(?:on|in|by|until|till|since|from|for|of|before|after)\s$", text[:start]) is not None
    )
    day = f"{first.day} {first:%B %Y}"
    days, preposition = {
        1: (day, "on"),
        7: (f"the week of {day}", "in"),
        2: (f"the weekend of {day}", "on"),
        365: (f"{first:%Y}", "in"),
        366: (f"{first:%Y}", "in"),
    }.get((last - first).days + 1, (f"{first:%B %Y}", "in"))
    if (first.year, first.month) != (last.year, last.month) and first.day == 1 and last - first < YEAR:
        days, preposition = f"{first:%B %Y} to {last:%B %Y}", "from"  # a season
    if opening:
        return f"{opening[0]} {days}"
    return days if is_led else f"{preposition} {days}"


def _preposition(text: str, expression: TimeExpression) -> str:
    """Return the preposition that is part of an expression, such as «since Tuesday»."""
    opening = re.match(
        r"(?:since|until|till|from|by|to|seit|desde|depuis|dal|bis|hasta|até)\b",
        text[slice(*expression.span)],
    )
    return opening[0] if opening else ""


def _dating_words(evidence: Evidence, *, keep_value: bool) -> str:
    """Return the clause of the value, with a time that opens the sentence and the value blanked out."""
    opening = evidence.sentence_clauses[0].head if len(evidence.sentence_clauses) > 1 else ""
    is_short = len(opening.split()) <= _OPENING and (" " in opening or len(opening) <= _OPENING_LETTERS)
    opening = opening if is_short else ""
    value = evidence.speech[slice(*evidence.value)]
    shown = value if keep_value else "·"
    after = _BETWEEN.sub(r"from \1 to ", _YEAR_BEHIND.sub("", evidence.text_after))
    after = _YEAR_AND_A_HALF.sub("18 months", after)
    return f"{opening} {evidence.clause_head} {shown}{own_clause(after)}".strip()


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def _end(expression: TimeExpression, zone: tzinfo) -> datetime:
    return _start(expression.last + timedelta(days=1), zone)
