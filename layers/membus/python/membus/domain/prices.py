"""What models cost.

A price list with dates, `prices.json` beside this file, and what a deployment adds to it.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

from pydantic import Field, TypeAdapter

from membus.domain.identity import Record
from membus.domain.prompt import TokenUsage

PRICE_LIST_PATH = Path(__file__).with_name("prices.json")
TOKENS_PER_PRICE = 1_000_000


class Price(Record):
    """Dollars per million tokens of `model`, from the day `since` on, for prompts of more than `above_tokens`."""

    model: str = Field(min_length=1)
    since: date
    above_tokens: int = Field(default=0, ge=0)
    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cache_read: Decimal = Field(ge=0)
    cache_write: Decimal = Field(ge=0)
    source: str = Field(min_length=1)

    def of(self, usage: TokenUsage) -> Decimal:
        dollars = (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
        )
        return dollars / TOKENS_PER_PRICE


class PriceList(Record):
    prices: tuple[Price, ...]

    def adding(self, prices: Iterable[Price]) -> "PriceList":
        """Return the list with prices that count before its own of the same day."""
        return PriceList(prices=(*self.prices, *prices))

    def dollars(self, model: str, usage: TokenUsage, *, day: date) -> Decimal | None:
        """Return what the tokens cost on that day, exactly.

        None where the price is not known, which is not 0.
        """
        prompt = usage.input + usage.cache_read + usage.cache_write
        fitting = [price for price in self.prices if price.model == model and price.since <= day]
        known = [price for price in fitting if price.above_tokens < prompt or not price.above_tokens]
        if not known:
            return None
        return max(reversed(known), key=lambda price: (price.since, price.above_tokens)).of(usage)


def load_price_list(added: str = "[]") -> PriceList:
    """Return the list that comes with this version, and the prices in a JSON text of a deployment's own."""
    shipped = PriceList.model_validate_json(PRICE_LIST_PATH.read_text(encoding="utf-8"))
    return shipped.adding(TypeAdapter(tuple[Price, ...]).validate_json(added))
