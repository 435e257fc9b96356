"""What model calls cost a tenant, by day, function and model."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from membus.domain.identity import Id, Record
from membus.domain.prompt import TokenUsage


class ModelCall(Record):
    """One answered request to a model; `call_id` makes copies of its record one. `dollars` None.

    Nobody knows.

    `requests` is above 1 where a provider takes the texts of one call one by one.
    """

    call_id: str
    tenant_id: Id
    function: str
    model: str
    at: datetime
    usage: TokenUsage
    dollars: Decimal | None
    requests: int = 1

    @property
    def day(self) -> date:
        return self.at.astimezone(UTC).date()


class DailyUsage(Record):
    """What one model did for one function on one day, UTC.

    `dollars` adds up the calls whose price is known, None where it is of none; `unpriced_calls` counts the
    others.
    """

    day: date
    function: str
    model: str
    calls: int
    input: int
    cache_read: int
    cache_write: int
    output: int
    dollars: Decimal | None
    unpriced_calls: int = 0

    def __add__(self, other: "DailyUsage") -> "DailyUsage":
        counted = ("calls", "input", "cache_read", "cache_write", "output", "unpriced_calls")
        sums = {name: getattr(self, name) + getattr(other, name) for name in counted}
        return self.model_copy(update=sums | {"dollars": add_dollars(self.dollars, other.dollars)})


def daily_usage_of_call(call: ModelCall) -> DailyUsage:
    usage = call.usage
    return DailyUsage(
        day=call.day,
        function=call.function,
        model=call.model,
        calls=call.requests,
        input=usage.input,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        output=usage.output,
        dollars=call.dollars,
        unpriced_calls=call.requests if call.dollars is None else 0,
    )


def merge_daily_usage(spendings: Iterable[DailyUsage]) -> list[DailyUsage]:
    """Return one spending for each day, function and model, in that order."""
    found: dict[tuple[date, str, str], DailyUsage] = {}
    for each in spendings:
        key = each.day, each.function, each.model
        found[key] = found[key] + each if key in found else each
    return [found[key] for key in sorted(found)]


def add_dollars(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Add what is known: two unknown sums are unknown, and not nothing."""
    return one if other is None else other if one is None else one + other


def seconds_to_midnight(now: datetime) -> int:
    """Return the seconds until the next day begins, UTC: when a daily budget is whole again."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return int((datetime.combine(tomorrow, time(), UTC) - now).total_seconds()) + 1
