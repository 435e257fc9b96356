"""Where it is counted how fast tenants go.

Where tenants are kept.

Where it is written what model calls cost, and what becomes of it that cannot be written there.
"""

from datetime import date
from decimal import Decimal
from typing import Protocol

from membus.tenants.costs import DailyUsage, ModelCall
from membus.tenants.model import RateLimit, RateLimitKind, RateLimits, Tenant


class RateLimitStore(Protocol):
    def consume_capacity(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
        """Take `count` out of a tenant's bucket and return 0.

        Where they do not fit, take nothing and say for how long.

        All execution environments share one bucket. Raises UnavailableError where it cannot be reached.
        """


class RateLimitMonitor(Protocol):
    """Hears what an operator should, with ids and numbers alone."""

    def count_rate_limits(self, tenant: str, **figures: float) -> None: ...

    def log_warning(self, message: str, **fields: object) -> None: ...


class TenantFinder(Protocol):
    def find_tenant(self, tenant_id: str) -> Tenant | None: ...


class TenantStore(TenantFinder, Protocol):
    def add_tenant(self, tenant: Tenant) -> None:
        """Raise ConflictError where the tenant exists."""

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        """Limit what the tenant's model calls may cost a day, or lift the limit.

        NotFoundError where there is none.
        """

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        """Give the tenant rates of its own, or the environment's back; NotFoundError where there is none."""

    def list_tenants(self) -> list[Tenant]:
        """Return all tenants by id; reads the whole table, so it is for operators only."""


class UsageLedger(Protocol):
    """Adds up; it keeps no single call. Days are UTC.

    Raises:
        UnavailableError: it cannot be reached.
    """

    def record_call(self, call: ModelCall) -> None:
        """Add the call to its day; a call whose record is repeated at once counts once."""

    def get_spent_dollars(self, tenant: str, day: date) -> Decimal:
        """Return the dollars that are known to be spent, every record that was acknowledged included."""

    def list_daily_usage(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        """Return what was spent from the first day to the last, both included, by day, function and model."""

    def add_event_count(self, tenant: str, day: date, events: int) -> None:
        """Add to the events that arrived on a day: what a bill is measured by."""

    def get_event_count(self, tenant: str, first: date, last: date) -> int: ...


class UsageMonitor(Protocol):
    """Hears what an operator should: numbers and warnings, with ids and sizes, never with content."""

    def count_model_metrics(self, model: str, **figures: float) -> None:
        """Add to the metrics of a model."""

    def log_warning(self, message: str, **fields: object) -> None: ...
