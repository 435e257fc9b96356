"""What a question says of time, resolved against the moment it is asked.

«last May», «in 2023», «two weeks ago».
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "few": 3,
    "couple of": 2,
}
_MONTH = "|".join(name for name in _MONTHS if name != "may")
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"((?:19|20)\d\d)"
# «may» is a verb far more often than a month: it wants a day, a year or a word in front of it that no verb
# follows.
_MAY = r"(?<=\bin )may|(?<=\blast )may|(?<=\bof )may|may(?= \d)"
_NAMED = re.compile(rf"\b(?:(last) )?(?:{_DAY} (?:of )?)?({_MONTH}|{_MAY})\b(?: {_DAY}\b)?(?:,? {_YEAR}\b)?")
_SEASON = re.compile(rf"\b(?:(last) )?(spring|summer|autumn|fall|winter)\b(?: of)?(?: {_YEAR}\b)?")
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d\d)(?:-(\d\d))?\b")
_ALONE = re.compile(rf"(?<![-\d$.]){_YEAR}\b(?![-.]\d)")
_AGO = re.compile(rf"\b(\d{{1,3}}|{'|'.join(_NUMBERS)}) (day|week|month|year)s? ago\b")
_RELATIVE = re.compile(r"\b(?:(yesterday)|(today)|(last|past|this) (week|month|year))\b")
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}

# A thing is told when it has happened more often than before: three weeks later the date says nothing any
# more, and
# plans are told up to a week ahead at half the weight. Halving and doubling these moved no recall by more
# than 0.002.
_TOLD_LATER_DAYS = 21
_TOLD_BEFORE_DAYS = 14
_TOLD_BEFORE_WEIGHT = 0.5


@dataclass(frozen=True)
class QueryPeriod:
    """Days from `start` to `end`; a `yearly` one named no year, so every year's counts."""

    start: date
    end: date
    yearly: bool = False


def parse_query_periods(text: str, now: date) -> tuple[QueryPeriod, ...]:
    """Return what the text names; a year alone counts only where nothing finer is named."""
    lower = text.lower()
    finer = [period for reader in _READERS for period in reader(lower, now)]
    return tuple(finer or (_year(int(found[1])) for found in _ALONE.finditer(lower)))


def fit_periods(day: date, periods: tuple[QueryPeriod, ...]) -> float:
    """Say from 0 to 1 how well a memory of that day answers a question about these periods."""
    return max((_fit(day, period) for period in periods), default=0.0)


def _fit(day: date, period: QueryPeriod) -> float:
    if not period.yearly:
        return _nearness(day, period.start, period.end)
    years = (day.year, day.year - 1, day.year + 1)
    return max(_nearness(day, *_in_year(period, year)) for year in years)


def _in_year(period: QueryPeriod, year: int) -> tuple[date, date]:
    length = period.end - period.start
    start = period.start.replace(
        year=year, day=min(period.start.day, monthrange(year, period.start.month)[1])
    )
    return start, start + length


def _nearness(day: date, start: date, end: date) -> float:
    if day > end:
        return max(0.0, 1 - (day - end).days / _TOLD_LATER_DAYS)
    if day < start:
        return max(0.0, _TOLD_BEFORE_WEIGHT - (start - day).days / _TOLD_BEFORE_DAYS)
    return 1.0


def _named(text: str, now: date) -> Iterator[QueryPeriod]:
    for last, before, name, after, year in _NAMED.findall(text):
        month = _MONTHS.index(name) + 1
        chosen = int(year) if year else _latest_year(month, now) if last else None
        period = _month(chosen or now.year, month, before or after)
        if period:
            yield QueryPeriod(period.start, period.end, yearly=chosen is None)


def _seasons(text: str, now: date) -> Iterator[QueryPeriod]:
    for last, name, year in _SEASON.findall(text):
        month = _SEASONS[name]
        chosen = int(year) if year else _latest_year(month, now) if last else None
        start = date(chosen or now.year, month, 1)
        yield QueryPeriod(start, start + timedelta(days=91), yearly=chosen is None)


def _iso(text: str, now: date) -> Iterator[QueryPeriod]:  # noqa: ARG001 - a date in full needs no now
    for year, month, day in _ISO.findall(text):
        period = _month(int(year), int(month), day) if 1 <= int(month) <= len(_MONTHS) else None
        if period:
            yield period


def _ago(text: str, now: date) -> Iterator[QueryPeriod]:
    for count, unit in _AGO.findall(text):
        days = _DAYS[unit]
        back = (_NUMBERS.get(count) or int(count)) * days
        if back < now.toordinal() - days:
            then = now - timedelta(days=back)
            yield QueryPeriod(then - timedelta(days=days // 2), then + timedelta(days=days // 2))


def _relative(text: str, now: date) -> Iterator[QueryPeriod]:
    for yesterday, today, _, unit in _RELATIVE.findall(text):
        back = 1 if yesterday else 0 if today else 2 * _DAYS[unit]
        yield QueryPeriod(now - timedelta(days=back), now - timedelta(days=1 if yesterday else 0))


def _latest_year(month: int, now: date) -> int:
    return now.year if month < now.month else now.year - 1


def _month(year: int, month: int, day: str) -> QueryPeriod | None:
    last = monthrange(year, month)[1]
    if not day:
        return QueryPeriod(date(year, month, 1), date(year, month, last))
    return QueryPeriod(found := date(year, month, int(day)), found) if 1 <= int(day) <= last else None


def _year(year: int) -> QueryPeriod:
    return QueryPeriod(date(year, 1, 1), date(year, 12, 31))


_READERS: tuple[Callable[[str, date], Iterator[QueryPeriod]], ...] = (_named, _seasons, _iso, _ago, _relative)
