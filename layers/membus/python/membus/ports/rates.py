"""Where it is counted how fast tenants go."""

from typing import Protocol

from membus.domain.rates import Limited, Rate


class RateStore(Protocol):
    def take(self, tenant: str, limited: Limited, count: int, rate: Rate) -> float:
        """Take `count` out of a tenant's bucket and return 0.

        Where they do not fit, take nothing and say for how long.

        All execution environments share one bucket. Raises UnavailableError where it cannot be reached.
        """


class RateMonitor(Protocol):
    """Hears what an operator should, with ids and numbers alone."""

    def limits(self, tenant: str, **figures: float) -> None: ...

    def warn(self, message: str, **fields: object) -> None: ...
