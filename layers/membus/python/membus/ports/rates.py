"""Where it is counted how fast tenants go."""

from typing import Protocol

from membus.domain.rates import RateLimit, RateLimitKind


class RateLimitStore(Protocol):
    def take(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
        """Take `count` out of a tenant's bucket and return 0.

        Where they do not fit, take nothing and say for how long.

        All execution environments share one bucket. Raises UnavailableError where it cannot be reached.
        """


class RateLimitMonitor(Protocol):
    """Hears what an operator should, with ids and numbers alone."""

    def limits(self, tenant: str, **figures: float) -> None: ...

    def warn(self, message: str, **fields: object) -> None: ...
