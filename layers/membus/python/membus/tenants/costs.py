"""Prices of models and what calls cost: `prices.json` beside this file, with the deployment's own prices."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from pydantic import Field, TypeAdapter

from membus.core.identity import Id, Record
from membus.core.tokens import TokenUsage

PRICE_LIST_PATH = Path(__file__).with_name("prices.json")
TOKENS_PER_PRICE = 1_000_000


class Price(Record):
    """Dollars per million tokens of `model` from the day `since`, for prompts of more than `above_tokens`."""

    model: str = Field(min_length=1)
    since: date
    above_tokens: int = Field(default=0, ge=0)
    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cache_read: Decimal = Field(ge=0)
    cache_write: Decimal = Field(ge=0)
    source: str = Field(min_length=1)

    def cost_of(self, usage: TokenUsage) -> Decimal:
        dollars = (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
        )
        return dollars / TOKENS_PER_PRICE


class PriceList(Record):
    """Of two prices for the same model and day the later in the list counts."""

    prices: tuple[Price, ...]

    def cost_dollars(self, model: str, usage: TokenUsage, *, day: date) -> Decimal | None:
        """Return the exact cost of the tokens on that day, None where the price is unknown."""
        prompt = usage.input + usage.cache_read + usage.cache_write
        fitting = [price for price in self.prices if price.model == model and price.since <= day]
        known = [price for price in fitting if price.above_tokens < prompt or not price.above_tokens]
        if not known:
            return None
        return max(reversed(known), key=lambda price: (price.since, price.above_tokens)).cost_of(usage)


def load_price_list(added: str = "[]") -> PriceList:
    """Return the prices of this version, and behind them those in the JSON text of a deployment."""
    shipped = PriceList.model_validate_json(PRICE_LIST_PATH.read_text(encoding="utf-8"))
    return PriceList(prices=(*shipped.prices, *TypeAdapter(tuple[Price, ...]).validate_json(added)))


class ModelCall(Record):
    """One answered call of a model, known by `call_id`; `dollars` is None where its price is unknown.

    `requests` is above 1 where the provider takes the texts of one call one by one.
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
    def utc_day(self) -> date:
        return self.at.astimezone(UTC).date()


class DailyUsage(Record):
    """The usage of one model by one function on one day, UTC.

    `dollars` sums the calls with a known price, None without any; `unpriced_calls` counts the others.
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
        return self.model_copy(update=sums | {"dollars": _add_dollars(self.dollars, other.dollars)})


def daily_usage_of_call(call: ModelCall) -> DailyUsage:
    usage = call.usage
    return DailyUsage(
        day=call.utc_day,
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


def merge_daily_usage(usages: Iterable[DailyUsage]) -> list[DailyUsage]:
    """Return one record for each day, function and model, in that order."""
    found: dict[tuple[date, str, str], DailyUsage] = {}
    for each in usages:
        key = each.day, each.function, each.model
        found[key] = found[key] + each if key in found else each
    return [found[key] for key in sorted(found)]


def _add_dollars(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the sum of the known amounts, None where both are unknown."""
    return one if other is None else other if one is None else one + other


def seconds_to_midnight(now: datetime) -> int:
    """Return the seconds until the next day, UTC, and its budget."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return int((datetime.combine(tomorrow, time(), UTC) - now).total_seconds()) + 1
