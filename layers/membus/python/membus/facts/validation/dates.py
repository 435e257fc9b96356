"""When what was said began and ended, by the words themselves and the day on which they were said."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from membus.core.text.time_expressions import (
    COUNT,
    UNIT,
    TimeExpression,
    date_before,
    find_time_expressions,
)
from membus.facts.validation.evidence import Evidence, own_clause
from membus.facts.validation.stance import INTENDED_ATTRIBUTES, NARRATED_ATTRIBUTES, TIMELESS_ATTRIBUTES

_SINCE = re.compile(r"\b(?:since|from|starting|as of|seit|desde|depuis|dal)\b[^.;]{0,12}$")
_UNTIL = re.compile(r"\b(?:until|till|through|up to|bis|hasta|até|jusqu'en|fino al)\b[^.;]{0,12}$")
_BOTH = re.compile(r"\b(?:from|between)\b[^.;]{0,8}$")
_TO = re.compile(r"^\W*(?:to|and|until|till|through|-|–)\W*(?:(?:the )?(?:end of )?)$")
_LASTING = re.compile(
    rf"\b(?:for(?: (?:about|over|almost|nearly|the (?:last|past)))?|these|past|last) {COUNT} {UNIT}\b(?! ago)"
)
_PERFECT = re.compile(r"\b(?:have|has|'ve|'s|been)\b|\b(?:i|we) (?:am|are)\b")
_BETWEEN = re.compile(r"\bbetween (.{3,25}?) and ")
_YEAR_BEHIND = re.compile(r",(?= (?:19|20)\d\d\b)")
_OPENING = 4
"""A clause of so few words before the statement is its time: «Last March, I moved»."""


@dataclass(frozen=True)
class ValidityPeriod:
    """`begins` and `ends` are instants (UTC is the caller's to choose).

    `ahead` says that it has not begun.
    """

    begins: datetime | None = None
    ends: datetime | None = None
    ahead: bool = False


def speaker_zone(said_at: datetime, *names: object) -> tzinfo:
    """Return the zone in which the speaker's days begin: the event's offset, else the first known zone named.

    An offset of zero is how most producers write an instant, not where somebody lives: it yields to a name.
    """
    if said_at.utcoffset():
        return said_at.tzinfo or ZoneInfo("UTC")
    for name in names:
        if isinstance(name, str):
            try:
                return ZoneInfo(name.strip())
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return said_at.tzinfo or ZoneInfo("UTC")


def find_validity(evidence: Evidence, attribute: str, said_at: datetime, zone: tzinfo) -> ValidityPeriod:
    """Return what the words say of time, resolved against the day on which they were said in the speaker's zone.

    What is planned for a day is over with that day; every other statement about a day to come is not so yet.
    A date that is the value itself, as a birthday is, dates nothing.
    """
    here = said_at.astimezone(zone)
    root = attribute.split(".", 1)[0]
    if root in TIMELESS_ATTRIBUTES:
        return ValidityPeriod()
    text = _dating_words(evidence, keep_value=root in NARRATED_ATTRIBUTES)
    found = find_time_expressions(text, here.date(), ahead=root in INTENDED_ATTRIBUTES)
    named = [each for each in found if not each.is_bare]
    lasted = _LASTING.search(text)
    if lasted and _PERFECT.search(text):
        return ValidityPeriod(begins=_start(date_before(here.date(), lasted["count"], lasted["unit"]), zone))
    if not named:
        return ValidityPeriod()
    return _placed(text, named, here, meant=root in INTENDED_ATTRIBUTES, told=root in NARRATED_ATTRIBUTES)


def _placed(
    text: str, named: list[TimeExpression], here: datetime, *, meant: bool, told: bool
) -> ValidityPeriod:
    first, zone = named[0], here.tzinfo or ZoneInfo("UTC")
    before = text[: first.span[0]] + _preposition(text, first)
    if len(named) > 1:
        between = text[first.span[1] : named[1].span[0]] + _preposition(text, named[1])
        ranged = _BOTH.search(before) and _TO.match(between)
        if ranged or (_SINCE.search(before) and _UNTIL.search(between)):
            return ValidityPeriod(begins=_start(first.first, zone), ends=_end(named[1], zone))
    if _UNTIL.search(before):
        return ValidityPeriod(ends=_end(first, zone))
    if first.first <= here.date():
        return ValidityPeriod(begins=_start(first.first, zone) if first.first < here.date() else None)
    if meant:
        return ValidityPeriod(ends=_end(first, zone))
    return ValidityPeriod() if told else ValidityPeriod(begins=_start(first.first, zone), ahead=True)


def _preposition(text: str, period: TimeExpression) -> str:
    """Return the word that a period took with it: «since Tuesday» is read as one."""
    said = text[slice(*period.span)]
    opening = re.match(r"(?:since|until|till|from|by|to)\b", said)
    return opening[0] if opening else ""


def _dating_words(evidence: Evidence, *, keep_value: bool) -> str:
    """Return the clause of the value, with a time that opens the sentence, the value itself blanked out."""
    opening = evidence.sentence_clauses[0].head if len(evidence.sentence_clauses) > 1 else ""
    opening = opening if len(opening.split()) <= _OPENING else ""
    value = evidence.speech[slice(*evidence.value)]
    shown = value if keep_value else "·"
    after = _BETWEEN.sub(r"from \1 to ", _YEAR_BEHIND.sub("", evidence.text_after))
    return f"{opening} {evidence.clause_head} {shown}{own_clause(after)}".strip()


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def _end(period: TimeExpression, zone: tzinfo) -> datetime:
    return _start(period.last + timedelta(days=1), zone)
