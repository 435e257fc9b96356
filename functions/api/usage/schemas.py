"""The JSON of usage."""

from datetime import date

from pydantic import BaseModel, Field

DOLLARS_DESCRIPTION = "by the price list of that day; null where no call's model has a price, which is not 0"


class UsageFigures(BaseModel):
    """`input` are fresh tokens.

    Those read from the provider's cache and written to it are counted beside them.
    """

    calls: int
    input: int
    cache_read: int
    cache_write: int
    output: int
    dollars: float | None = Field(description=DOLLARS_DESCRIPTION)
    unpriced_calls: int = Field(
        description="calls that `dollars` leaves out, because their model has no price"
    )


class UsageItem(UsageFigures):
    """What one function spent on one model in a day."""

    day: date
    function: str
    model: str


class BudgetOut(BaseModel):
    """`spent_today` is what is known.

    Where it reaches the limit, calls that cost are refused until midnight, UTC.
    """

    dollars_per_day: float | None = Field(description="null: no limit")
    spent_today: float
    exhausted: bool


class UsageReport(BaseModel):
    """By day, UTC, function and model; days and models without a call are left out."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    items: list[UsageItem]
    total: UsageFigures
    events: int = Field(description="events that arrived in these days")
    budget: BudgetOut
