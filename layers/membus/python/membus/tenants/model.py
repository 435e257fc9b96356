"""Tenants, and their rate limits: a bucket that fills at a rate, holds a burst, and says how long to wait."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from membus.core.errors import InvalidError
from membus.core.identity import Record

BURST_SECONDS = 10
"""Seconds of the rate that a full bucket holds."""
CLOCK_SKEW_SECONDS = 5
"""How far the clocks of two execution environments may be apart."""
EVENTS_PER_REQUEST_MAX = 100
"""A bucket holds at least the largest request, which could never pass otherwise."""
RateLimitKind = Literal["requests", "events"]


class RateLimits(Record):
    """What a tenant may send each second: requests of any kind, and events in them."""

    requests_per_second: float = Field(gt=0, allow_inf_nan=False)
    events_per_second: float = Field(gt=0, allow_inf_nan=False)

    def limit_for(self, limited: RateLimitKind) -> "RateLimit":
        if limited == "requests":
            return RateLimit(per_second=self.requests_per_second)
        return RateLimit(per_second=self.events_per_second, least=EVENTS_PER_REQUEST_MAX)


class RateLimit(Record):
    """The rate of a bucket, whose state is one moment, in microseconds: until when it is used up."""

    per_second: float = Field(gt=0, allow_inf_nan=False)
    least: int = 1

    @property
    def burst_size(self) -> int:
        return max(self.least, math.ceil(self.per_second * BURST_SECONDS))

    def consumption_us(self, count: int) -> int:
        """Return for how long `count` use up the rate."""
        return math.ceil(count * 1_000_000 / self.per_second)

    def latest_used_until_us(self, count: int, now_us: int) -> int:
        """Return until when a bucket may be used up at most to have room for `count`."""
        return now_us + self.consumption_us(self.burst_size) - self.consumption_us(count)

    def implausible_after_us(self, now_us: int) -> int:
        """Return the moment after which no bucket can be used up: a clock jumped, and it counts as full."""
        return now_us + self.consumption_us(self.burst_size) + CLOCK_SKEW_SECONDS * 1_000_000

    def used_until_us(self, count: int, *, until_us: int, now_us: int) -> int:
        """Return until when a bucket is used up after `count` were taken from it."""
        begins_us = until_us if now_us < until_us <= self.implausible_after_us(now_us) else now_us
        return begins_us + self.consumption_us(count)

    def wait_seconds(self, count: int, *, until_us: int, now_us: int) -> float:
        """Return how long `count` must wait for a bucket that is used up until `until_us`, 0 if they fit."""
        if until_us > self.implausible_after_us(now_us):
            return 0
        return max(0, until_us - self.latest_used_until_us(count, now_us)) / 1_000_000


RESERVED_TENANT_IDS = frozenset({"spill", "exports"})
"""Folders of the archive bucket on the level of the tenants' folders."""
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Tenant:
    """A tenant; its id is a lower-case label, since it is part of every key and object name.

    `daily_dollars` is the budget of its model calls for a day, UTC, None for no limit; `rates` are its own
    limits, None for those of the environment.
    """

    tenant_id: str
    name: str
    created_at: datetime
    daily_dollars: Decimal | None = None
    rates: RateLimits | None = None

    def __post_init__(self) -> None:
        if self.tenant_id in RESERVED_TENANT_IDS:
            raise InvalidError(f"'{self.tenant_id}' is a folder of the archive and cannot be a tenant id")
        if not _ID.fullmatch(self.tenant_id):
            raise InvalidError(
                f"'{self.tenant_id}' cannot be a tenant id: use 1 to 63 of a-z, 0-9 and -, no - at either end"
            )
        if self.daily_dollars is not None and not (
            self.daily_dollars.is_finite() and self.daily_dollars >= 0
        ):
            raise InvalidError("a budget is a number of dollars, 0 or more")
