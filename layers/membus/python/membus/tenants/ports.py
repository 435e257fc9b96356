"""The ports of tenants, of their rate limits and of their usage."""

from datetime import date
from decimal import Decimal
from typing import Protocol

from membus.tenants.costs import DailyUsage, ModelCall
from membus.tenants.model import RateLimit, RateLimitKind, RateLimits, Tenant


class RateLimitStore(Protocol):
    """Buckets of all execution environments; raises UnavailableError where it cannot be reached."""

    def consume_capacity(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
        """Take `count` from a tenant's bucket and return 0, or return the seconds to wait."""


class RateLimitMonitor(Protocol):
    """Metrics and warnings for operators, with ids and numbers only."""

    def count_rate_limits(self, tenant: str, **figures: float) -> None: ...

    def log_warning(self, message: str, **fields: object) -> None: ...


class TenantFinder(Protocol):
    def find_tenant(self, tenant_id: str) -> Tenant | None: ...


class TenantStore(TenantFinder, Protocol):
    def add_tenant(self, tenant: Tenant) -> None:
        """Raise ConflictError where the tenant exists."""

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        """Set the budget of a day, None for no limit; NotFoundError where there is no such tenant."""

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        """Set the tenant's own rates, None for the environment's; NotFoundError without such a tenant."""

    def list_tenants(self) -> list[Tenant]:
        """Return all tenants by id, by a scan of the table, which only operators may do."""


class UsageLedger(Protocol):
    """Sums of usage by day, UTC, not single calls; raises UnavailableError where it cannot be reached."""

    def record_call(self, call: ModelCall) -> None:
        """Add the call to its day; a record that is repeated at once counts once."""

    def get_spent_dollars(self, tenant: str, day: date) -> Decimal:
        """Return the dollars of a day by a consistent read of all records."""

    def list_daily_usage(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        """Return the usage from the first day to the last, both included, by day, function and model."""

    def add_event_count(self, tenant: str, day: date, events: int) -> None:
        """Add to the events that arrived on a day, which bills are compared with."""

    def get_event_count(self, tenant: str, first: date, last: date) -> int: ...


class UsageMonitor(Protocol):
    """Metrics and warnings for operators: ids and sizes, never content."""

    def count_model_metrics(self, model: str, **figures: float) -> None:
        """Add to the metrics of a model."""

    def log_warning(self, message: str, **fields: object) -> None: ...
