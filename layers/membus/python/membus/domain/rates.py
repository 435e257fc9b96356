"""How fast a tenant may go: a bucket that fills at a rate, holds a burst, and says how long to wait."""

import math
from typing import Literal

from pydantic import Field

from membus.domain.identity import Record

BURST_SECONDS = 10
"""A bucket that nobody touched for so long is full: a client may be quick for a moment, not for ever."""
CLOCK_SKEW_SECONDS = 5
"""How far the clocks of two environments may honestly be apart."""
EVENTS_PER_REQUEST_MAX = 100
"""A bucket holds the largest request at least, or that could never pass."""
RateLimitKind = Literal["requests", "events"]


class RateLimits(Record):
    """What a tenant may send each second: requests of any kind, and events within them."""

    requests_per_second: float = Field(gt=0, allow_inf_nan=False)
    events_per_second: float = Field(gt=0, allow_inf_nan=False)

    def of(self, limited: RateLimitKind) -> "RateLimit":
        if limited == "requests":
            return RateLimit(per_second=self.requests_per_second)
        return RateLimit(per_second=self.events_per_second, least=EVENTS_PER_REQUEST_MAX)


class RateLimit(Record):
    """A bucket's state is one moment: until when what was taken has used its rate up.

    Moments are microseconds.
    """

    per_second: float = Field(gt=0, allow_inf_nan=False)
    least: int = 1

    @property
    def burst(self) -> int:
        return max(self.least, math.ceil(self.per_second * BURST_SECONDS))

    def takes_us(self, count: int) -> int:
        """Return for how long `count` use the rate up."""
        return math.ceil(count * 1_000_000 / self.per_second)

    def full_us(self, count: int, now_us: int) -> int:
        """Return the last moment until which a bucket may be used up that has room for `count` now."""
        return now_us + self.takes_us(self.burst) - self.takes_us(count)

    def beyond_us(self, now_us: int) -> int:
        """Return the moment behind which no honest clock has used a bucket up.

        One jumped, and the bucket is new.
        """
        return now_us + self.takes_us(self.burst) + CLOCK_SKEW_SECONDS * 1_000_000

    def taken_us(self, count: int, *, until_us: int, now_us: int) -> int:
        """Return until when a bucket is used up once `count` were taken, which fitted."""
        begins_us = until_us if now_us < until_us <= self.beyond_us(now_us) else now_us
        return begins_us + self.takes_us(count)

    def wait_seconds(self, count: int, *, until_us: int, now_us: int) -> float:
        """Return how long `count` have to wait where the bucket is used up until `until_us`.

        0 where they fit.
        """
        if until_us > self.beyond_us(now_us):
            return 0
        return max(0, until_us - self.full_us(count, now_us)) / 1_000_000
