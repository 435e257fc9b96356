"""Time expressions: periods as people name them, «last March», «two weeks ago», «4 December», «in 2019»."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

MONTHS = (
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
)
_SHORT = {name[:3]: number for number, name in enumerate(MONTHS, start=1)} | {"sept": 9}
_FOREIGN_MONTHS = (
    "januar enero janvier janeiro gennaio",
    "februar febrero février fevereiro febbraio",
    "märz marzo mars março",
    "avril abril aprile",
    "mai mayo maio maggio",
    "juni junio juin junho giugno",
    "juli julio juillet julho luglio",
    "agosto août",
    "septiembre septembre setembro settembre",
    "oktober octubre octobre outubro ottobre",
    "noviembre novembre novembro",
    "dezember diciembre décembre dezembro dicembre",
)
"""The months in German, Spanish, French, Portuguese and Italian, where English spells them otherwise."""
_LONG_MONTHS = {name: number for number, name in enumerate(MONTHS, start=1)} | {
    name: number for number, names in enumerate(_FOREIGN_MONTHS, start=1) for name in names.split()
}
_MONTH_NUMBERS = _SHORT | _LONG_MONTHS
_AMBIGUOUS_MONTHS = frozenset({"may", "mayo", "mars", "mai"})
"""Alone these are a verb, a sauce, a planet or a name far more often than a month."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
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
    "couple of": 2,
    "a couple of": 2,
    "few": 3,
    "a few": 3,
}
_NEAR_DAYS = {
    "day before yesterday": -2,
    "yesterday": -1,
    "last night": -1,
    "today": 0,
    "tonight": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "day after tomorrow": 2,
    "tomorrow": 1,
}
_DAYS_PER_UNIT = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS_PER_UNIT = {"month": 1, "year": 12}
COUNT = rf"(?P<count>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
UNIT = r"(?P<unit>day|week|fortnight|month|year)s?"
EARLIEST_YEAR, LATEST_YEAR = 1900, 9990


@dataclass(frozen=True)
class TimeExpression:
    """The days from `first` to `last`, both included, that a text names at `span`.

    `which` is `last`, `past`, `this` or `next`, where the text says so. `unit` is what is counted («two weeks
    ago») or named by it («last week»). A `yearly` one names a month or a season and no year. A `bare` one has
    no preposition either, so it may be no time at all.
    """

    first: date
    last: date
    span: tuple[int, int]
    which: str | None = None
    unit: str | None = None
    is_yearly: bool = False
    is_bare: bool = False

    @property
    def is_year(self) -> bool:
        """Whether a year is named by its number alone."""
        return self.unit is None and (self.first.month, self.last.month) == (1, 12)


Days = tuple[date, date]
Parser = Callable[[re.Match[str], date], Days]


def find_time_expressions(text: str, today: date, *, ahead: bool = False) -> list[TimeExpression]:
    """Return the time expressions of a text in lower case, in reading order.

    Of two that overlap the longer one. A month, season or weekday is the last one that began; `next`, or what
    is told `ahead`, makes it the first one to come.
    """
    found = list(_parse(text, today))
    if ahead:
        found = [_to_come(each, text[slice(*each.span)], today) for each in found]
    kept: list[TimeExpression] = []
    for each in sorted(found, key=lambda each: each.span[0] - each.span[1]):
        if all(each.span[1] <= other.span[0] or other.span[1] <= each.span[0] for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda each: each.span)


def date_before(today: date, count: str, unit: str) -> date:
    """Return the day so many units before `today`; raises KeyError for a count that is no number."""
    return shift_date(today, -_number(count), unit)


def shift_date(day: date, count: int, unit: str) -> date:
    """Return the day so many units later; of a month that is too short, its last day."""
    if unit not in _MONTHS_PER_UNIT:
        return day + timedelta(days=count * _DAYS_PER_UNIT[unit])
    months = day.year * 12 + day.month - 1 + count * _MONTHS_PER_UNIT[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _parse(text: str, today: date) -> Iterator[TimeExpression]:
    for pattern, parse in _PARSERS:
        for match in pattern.finditer(text):
            try:
                first, last = parse(match, today)
            except (ValueError, OverflowError):  # «31 February», «999 years ago»
                continue
            if not EARLIEST_YEAR <= first.year <= last.year <= LATEST_YEAR:
                continue
            groups = match.groupdict()
            which, has_year = groups.get("which"), bool(groups.get("year"))
            is_bare = groups.get("lead", "given") is None and (not has_year or parse is _parse_year)
            if is_bare and groups.get("month") in _AMBIGUOUS_MONTHS:
                continue
            names_month = parse in {_parse_date, _parse_season}
            yield TimeExpression(
                first,
                last,
                match.span(),
                which=which,
                unit=groups.get("unit"),
                is_yearly=names_month and not (has_year or which or groups.get("ending")),
                is_bare=is_bare or parse is _parse_iso_month,
            )


_DIRECTED = re.compile(r"\b(?:last|past|ago|since|yesterday|\d{4})\b|\d{4}-")


def _to_come(expression: TimeExpression, said: str, today: date) -> TimeExpression:
    """Return a past period that named no year and no direction as the next one of its name."""
    if expression.last >= today or _DIRECTED.search(said):
        return expression
    count, unit = (7, "day") if any(day in said for day in _WEEKDAYS) else (1, "year")
    first, last = (shift_date(day, count, unit) for day in (expression.first, expression.last))
    return replace(expression, first=first, last=last)


def _parse_near(match: re.Match[str], today: date) -> Days:
    day = today + timedelta(days=_NEAR_DAYS[match["near"]])
    return day, day


def _parse_counted(match: re.Match[str], today: date) -> Days:
    count = _number(match["count"])
    day = shift_date(today, count if match["ahead"] else -count, match["unit"])
    return day, day


def _parse_unit(match: re.Match[str], today: date) -> Days:
    """Return this, the last or the next week (from Monday), weekend, month or year."""
    step = {"last": -1, "past": -1, "this": 0, "next": 1}[match["which"]]
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
    match match["unit"]:
        case "week":
            return monday, monday + timedelta(days=6)
        case "weekend":
            return monday + timedelta(days=5), monday + timedelta(days=6)
        case "year":
            return _year_days(today.year + step)
        case _:
            first = shift_date(today.replace(day=1), step, "month")
            return _month_days(first.year, first.month)


def _parse_weekday(match: re.Match[str], today: date) -> Days:
    """Return the last such day before today; `next`, the first after it.

    `this`, the one of the current week.
    """
    wanted = _WEEKDAYS.index(match["weekday"])
    which = match["which"] or ("next" if match["ending"] else None)
    if which == "this":
        day = today + timedelta(days=wanted - today.weekday())
    elif which == "next":
        day = today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)
    else:
        day = today - timedelta(days=(today.weekday() - wanted - 1) % 7 + 1)
    return day, day


def _parse_date(match: re.Match[str], today: date) -> Days:
    groups = match.groupdict()
    month = _MONTH_NUMBERS[match["month"]]
    which = groups.get("which") or ("next" if groups.get("ending") else None)
    year = int(groups["year"]) if groups.get("year") else _year_of(month, which, today)
    if groups.get("day"):
        day = date(year, month, int(groups["day"]))
        return day, day
    return _month_days(year, month)


def _parse_season(match: re.Match[str], today: date) -> Days:
    month = _SEASONS[match["season"]]
    year = int(match["year"]) if match["year"] else _year_of(month, match["which"], today)
    first = date(year, month, 1)
    return first, shift_date(first, 3, "month") - timedelta(days=1)


def _parse_iso_date(match: re.Match[str], today: date) -> Days:  # noqa: ARG001 - a full date needs no today
    day = date.fromisoformat(match[0])
    return day, day


def _parse_iso_month(match: re.Match[str], today: date) -> Days:  # noqa: ARG001 - as above
    year, month = map(int, match[0].split("-"))
    return date(year, month, 1), _month_days(year, month)[1]


def _parse_slashed_date(match: re.Match[str], today: date) -> Days:  # noqa: ARG001 - as above
    """Return the day of «12/15/2025» or «15.12.2025»; with dots the day comes first.

    Raises:
        ValueError: day and month could be either way round, so the words date nothing.
    """
    one, other, year = int(match["one"]), int(match["other"]), int(match["slashed_year"])
    if match["sign"] != "." and one != other and max(one, other) <= len(MONTHS):
        raise ValueError("day and month may be either way round")
    is_day_first = match["sign"] == "." or one > len(MONTHS)
    day = date(year, other, one) if is_day_first else date(year, one, other)
    return day, day


def _parse_year_first_date(match: re.Match[str], today: date) -> Days:  # noqa: ARG001 - as above
    day = date(*map(int, match[0].split("/")))
    return day, day


def _parse_half_year(match: re.Match[str], today: date) -> Days:  # noqa: ARG001 - the words say it all
    day = shift_date(today, -6, "month")
    return day, day


def _parse_year(match: re.Match[str], today: date) -> Days:  # noqa: ARG001 - as above
    return _year_days(int(match["year"]))


def _number(count: str) -> int:
    return int(count) if count.isdigit() else _NUMBERS[count]


def _year_of(month: int, which: str | None, today: date) -> int:
    """Return the year of a month without one: the last that began, or the next that has not."""
    if which == "next":
        return today.year + (month <= today.month)
    if which == "this":
        return today.year
    return today.year - (month > today.month or (which == "last" and month == today.month))


def _month_days(year: int, month: int) -> Days:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _year_days(year: int) -> Days:
    return date(year, 1, 1), date(year, 12, 31)


_WHICH = r"(?:(?P<which>last|past|this|next) )"
_ENDING = r"(?P<ending>until |till |by )"
_LONG_MONTH = rf"(?P<month>{'|'.join(_LONG_MONTHS)})"
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_NUMBERS, key=len, reverse=True))})\b\.?"
_LEAD = (
    r"in |since |from |of |(?<!next )to |seit |im |desde |depuis |en |dès |dal |da |a partire da |bis |hasta |até |vom |ab "
    r"|sinds |em "
    r"|sedan |siden "
)
_OF = r"(?:of |de |del |di )?"
_YEAR_LEAD = (
    r"(?P<lead>(?:in|since|from|of|until|till|through|by|during|before|after|early|late|mid|around|about|year|and|to|between"
    r"|class of|summer|winter|spring|autumn|fall|graduated|born|joined|founded|moved|started|married|seit|im|jahr|desde|depuis"
    r"|en|dal|nel"
    r"|dès|bis|hasta|até|sinds|sedan|siden|od|с|em|w|v|в|roku)[ -]|\(|['’]s )?"
)
_NO_AMOUNT = (
    r"(?! ?(?:[€$£¥%°]|eur\b|euros?\b|usd\b|dollars?\b|bucks\b|gbp\b|pounds?\b|chf\b|francs?\b|kroner\b|kronor\b|yen\b"
    r"|km\b|kilomet|miles?\b|met(?:er|re)s?\b|m\b|kg\b|k?cal|steps?\b|words?\b|pages?\b|people\b|users?\b|items?\b|points?\b"
    r"|watts?\b|w\b|mah\b|square\b|sq|feet\b|ft\b|hours?\b|times\b|followers?\b|employees\b))"
)
"""A number in front of a unit is an amount, not a year."""
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_WEEKDAY = rf"(?P<weekday>{'|'.join(_WEEKDAYS)})"
_SEASON = rf"(?P<season>{'|'.join(_SEASONS)})"
_MONTH_ALONE = rf"{_LONG_MONTH}\b(?! \d{{1,2}}(?!\d))"
_PARSERS: list[tuple[re.Pattern[str], Parser]] = [
    (re.compile(rf"\b{pattern}"), parse)
    for pattern, parse in (
        (rf"(?P<near>{'|'.join(_NEAR_DAYS)})\b", _parse_near),
        (rf"(?P<ahead>in) {COUNT} {UNIT}(?: time)?\b(?! ago)", _parse_counted),
        (rf"(?P<ahead>(?!)|){COUNT} {UNIT} ago\b", _parse_counted),
        (rf"{_WHICH}(?P<unit>week|weekend|month|year)\b", _parse_unit),
        (rf"(?:{_WHICH}|on |since |from |{_ENDING}){_WEEKDAY}\b(?!,? \d)", _parse_weekday),
        (rf"{_WHICH}?{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?", _parse_date),
        (rf"{_WHICH}?{_MONTH} {_DAY}(?![\d:])\b(?:,? {_YEAR})?", _parse_date),
        (
            rf"(?P<lead>{_WHICH}|{_LEAD}|{_ENDING})?{_MONTH_ALONE}(?:,? {_OF}{_YEAR})?",
            _parse_date,
        ),
        (rf"{_MONTH},? {_OF}{_YEAR}", _parse_date),
        (r"half an? year ago\b", _parse_half_year),
        (
            r"(?P<one>\d{1,2})(?P<sign>[/.])(?P<other>\d{1,2})(?P=sign)(?P<slashed_year>(?:19|20)\d\d)\b",
            _parse_slashed_date,
        ),
        (r"(?:19|20)\d\d/\d\d?/\d\d?\b", _parse_year_first_date),
        (
            rf"(?P<lead>{_WHICH}|in |since |until |till |from )?(?:the )?{_SEASON}\b(?: (?:of )?{_YEAR})?\b",
            _parse_season,
        ),
        (r"(?:19|20)\d\d-\d\d-\d\d\b", _parse_iso_date),
        (r"(?:19|20)\d\d-\d\d\b(?!-)", _parse_iso_month),
        (rf"{_YEAR_LEAD}(?<![\d.,/€$£])(?<![\d]-){_YEAR}\b(?![-.,/]?\d){_NO_AMOUNT}", _parse_year),
    )
]
