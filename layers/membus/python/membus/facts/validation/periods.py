"""Stretches of days as people name them: «last March», «two weeks ago», «4 December», «in 2019»."""

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
_SHORT = {name[:3]: number for number, name in enumerate(_MONTHS, start=1)} | {"sept": 9}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
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
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "a couple of": 2,
    "a few": 3,
}
_UNITS = {"day": 0, "week": 0, "month": 1, "year": 12}
MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|{'|'.join(_SHORT)})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
COUNT = rf"(?P<count>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
UNIT = r"(?P<unit>day|week|month|year)s?"
_LONG_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_MONTH_ALONE = rf"{_LONG_MONTH}\b(?! \d{{1,2}}(?!\d))"
_SEASON = rf"(?P<season>{'|'.join(_SEASONS)})"
_DIRECTED = re.compile(r"\b(?:last|past|ago|since|yesterday|\d{4})\b|\d{4}-")
EARLIEST_YEAR = 1900


@dataclass(frozen=True)
class NamedPeriod:
    """Days from `first` to `last`, both included, and where the text names them."""

    first: date
    last: date
    span: tuple[int, int] = (0, 0)


PeriodParser = Callable[[re.Match[str], date], NamedPeriod | None]


def find_periods(text: str, today: date, *, ahead: bool = False) -> list[NamedPeriod]:
    """Return the periods a folded text names, in reading order.

    Where two readings overlap the longer one counts.

    A bare month, season or weekday is the last one that began; `next`, or what is told `ahead`, makes it the
    first one to come.
    """
    found = [NamedPeriod(read.first, read.last, match.span()) for match, read in _read(text, today)]
    if ahead:
        found = [_to_come(period, text[slice(*period.span)], today) for period in found]
    kept: list[NamedPeriod] = []
    for period in sorted(found, key=lambda each: each.span[0] - each.span[1]):
        if all(period.span[1] <= other.span[0] or other.span[1] <= period.span[0] for other in kept):
            kept.append(period)
    return sorted(kept, key=lambda each: each.span)


def _to_come(period: NamedPeriod, said: str, today: date) -> NamedPeriod:
    """Return a past period that named no year and no direction as the next one of its name."""
    if period.last >= today or _DIRECTED.search(said):
        return period
    if any(day in said for day in _DAYS):
        return NamedPeriod(period.first + timedelta(days=7), period.last + timedelta(days=7), period.span)
    first, last = (_shifted(day, 1, "year") for day in (period.first, period.last))
    return NamedPeriod(first, last, period.span)


def date_before(today: date, count: str, unit: str) -> date:
    """Return the day so many units before `today`; raises KeyError for a count it cannot read."""
    number = int(count) if count.isdigit() else _NUMBERS[count]
    return _shifted(today, -number, unit)


def _read(text: str, today: date) -> Iterator[tuple[re.Match[str], NamedPeriod]]:
    for pattern, reading in _READINGS:
        for match in pattern.finditer(text):
            try:
                period = reading(match, today)
            except (ValueError, OverflowError):  # «31 February», «999 years ago»
                continue
            if period and period.first.year >= EARLIEST_YEAR:
                yield match, period


def _shifted(day: date, count: int, unit: str) -> date:
    if not _UNITS[unit]:
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * _UNITS[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _near(match: re.Match[str], today: date) -> NamedPeriod:
    shift = {
        "day before yesterday": -2,
        "yesterday": -1,
        "last night": -1,
        "today": 0,
        "tomorrow": 1,
        "day after tomorrow": 2,
    }[match["near"]]
    day = today + timedelta(days=shift)
    return NamedPeriod(day, day)


def _counted(match: re.Match[str], today: date) -> NamedPeriod:
    number = int(match["count"]) if match["count"].isdigit() else _NUMBERS[match["count"]]
    day = _shifted(today, number if match["ahead"] else -number, match["unit"])
    return NamedPeriod(day, day)


def _whole(match: re.Match[str], today: date) -> NamedPeriod:
    """Return this, the last or the next week (from Monday), weekend, month or year."""
    step = {"last": -1, "past": -1, "this": 0, "next": 1}[match["which"]]
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
    match match["whole"]:
        case "week":
            return NamedPeriod(monday, monday + timedelta(days=6))
        case "weekend":
            return NamedPeriod(monday + timedelta(days=5), monday + timedelta(days=6))
        case "year":
            return NamedPeriod(date(today.year + step, 1, 1), date(today.year + step, 12, 31))
        case _:
            then = _shifted(today.replace(day=1), step, "month")
            return _month(then.year, then.month)


def _weekday(match: re.Match[str], today: date) -> NamedPeriod:
    """Return the last such day before today; the next one after it; `this`, the one of the week that runs."""
    wanted, which = _DAYS.index(match["weekday"]), match["which"] or ("next" if match["ending"] else None)
    if which == "this":
        day = today + timedelta(days=wanted - today.weekday())
    elif which == "next":
        day = today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
    else:
        day = today - timedelta(days=(today.weekday() - wanted - 1) % 7 + 1)
    return NamedPeriod(day, day)


def _dated(match: re.Match[str], today: date) -> NamedPeriod | None:
    groups = match.groupdict()
    month = _number(match["month"])
    which = groups.get("which") or ("next" if groups.get("ending") else None)
    year = int(groups["year"]) if groups.get("year") else _year_of(month, which, today)
    if groups.get("day"):
        day = date(year, month, int(groups["day"]))
        return NamedPeriod(day, day)
    return _month(year, month)


def _season(match: re.Match[str], today: date) -> NamedPeriod:
    month = _SEASONS[match["season"]]
    year = int(match["year"]) if match["year"] else _year_of(month, match["which"], today)
    first = date(year, month, 1)
    return NamedPeriod(first, _shifted(first, 3, "month") - timedelta(days=1))


def _written(match: re.Match[str], today: date) -> NamedPeriod:  # noqa: ARG001 - a date in full needs no today
    day = date.fromisoformat(match[0])
    return NamedPeriod(day, day)


def _year(match: re.Match[str], today: date) -> NamedPeriod:  # noqa: ARG001 - as above
    return NamedPeriod(date(int(match["year"]), 1, 1), date(int(match["year"]), 12, 31))


def _number(name: str) -> int:
    return _SHORT[name[:3]]


def _year_of(month: int, which: str | None, today: date) -> int:
    """Return the year of a month without one: the last that began, or the next that has not."""
    if which == "next":
        return today.year + (month <= today.month)
    if which == "this":
        return today.year
    return today.year - (month > today.month or (which == "last" and month == today.month))


def _month(year: int, month: int) -> NamedPeriod:
    return NamedPeriod(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


_ENDING = r"(?P<ending>until |till |by )"
_WHICH = r"(?:(?P<which>last|past|this|next) )"
_READINGS: list[tuple[re.Pattern[str], PeriodParser]] = [
    (re.compile(rf"\b{pattern}"), reading)
    for pattern, reading in (
        (r"(?P<near>day before yesterday|yesterday|last night|today|day after tomorrow|tomorrow)\b", _near),
        (rf"(?:(?P<ahead>in) {COUNT} {UNIT}(?: time)?\b(?! ago))", _counted),
        (rf"(?P<ahead>(?!)|){COUNT} {UNIT} ago\b", _counted),
        (rf"{_WHICH}(?P<whole>week|weekend|month|year)\b", _whole),
        (rf"(?:{_WHICH}|on |since |from |{_ENDING})(?P<weekday>{'|'.join(_DAYS)})\b(?!,? \d)", _weekday),
        (rf"{_WHICH}?{_DAY} (?:of )?{MONTH}(?:,? {_YEAR})?", _dated),
        (rf"{_WHICH}?{_LONG_MONTH} {_DAY}(?![\d:])\b(?:,? {_YEAR})?", _dated),
        (rf"(?:{_WHICH}|in |since |from |of |to |{_ENDING}){_MONTH_ALONE}(?:,? (?:of )?{_YEAR})?", _dated),
        (rf"{MONTH},? (?:of )?{_YEAR}", _dated),
        (rf"(?:{_WHICH}|in |since |until |till |from )(?:the )?{_SEASON}(?: (?:of )?{_YEAR})?\b", _season),
        (r"(?:19|20)\d\d-\d\d-\d\d\b", _written),
        (rf"(?<![\d.,€$£])(?<![\d]-){_YEAR}\b(?![-.,]?\d)", _year),
    )
]
