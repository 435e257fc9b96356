"""Query periods: the time that a question asks about, and how well a memory's day answers it."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from membus.core.text.time_expressions import TimeExpression, find_time_expressions

_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
# Events are told more often after they happened than before: three weeks later the date says
# nothing any more, and plans are told up to a week ahead at half the weight. Halving and doubling these moved
# no recall by more
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
    """Return the periods a question names; a year alone counts only where nothing finer is named."""
    found = find_time_expressions(text.lower(), now)
    finer = [each for each in found if not each.is_year]
    return tuple(_query_period(each, now) for each in finer or found)


def _query_period(expression: TimeExpression, now: date) -> QueryPeriod:
    """Return the days meant: «two weeks ago» is no exact day, and «last week» reaches until now."""
    if days := _UNIT_DAYS.get(expression.unit or ""):
        if expression.which is None:
            half = timedelta(days=days // 2)
            return QueryPeriod(expression.first - half, expression.last + half)
        if expression.which != "next":
            return QueryPeriod(now - timedelta(days=2 * days), now)
    return QueryPeriod(expression.first, expression.last, expression.is_yearly)


def fit_periods(day: date, periods: tuple[QueryPeriod, ...]) -> float:
    """Return from 0 to 1 how well a memory of a day answers a question about these periods."""
    return max((_fit(day, period) for period in periods), default=0.0)


def _fit(day: date, period: QueryPeriod) -> float:
    if not period.yearly:
        return _nearness(day, period.start, period.end)
    years = (day.year, day.year - 1, day.year + 1)
    return max(_nearness(day, *_in_year(period, year)) for year in years)


def _in_year(period: QueryPeriod, year: int) -> tuple[date, date]:
    last = monthrange(year, period.start.month)[1]
    start = period.start.replace(year=year, day=min(period.start.day, last))
    return start, start + (period.end - period.start)


def _nearness(day: date, start: date, end: date) -> float:
    if day > end:
        return max(0.0, 1 - (day - end).days / _TOLD_LATER_DAYS)
    if day < start:
        return max(0.0, _TOLD_BEFORE_WEIGHT - (start - day).days / _TOLD_BEFORE_DAYS)
    return 1.0
