"""Where tenants are kept."""

from decimal import Decimal
from typing import Protocol

from membus.domain.rates import RateLimits
from membus.domain.tenant import Tenant


class TenantFinder(Protocol):
    def find(self, tenant_id: str) -> Tenant | None: ...


class TenantStore(TenantFinder, Protocol):
    def add(self, tenant: Tenant) -> None:
        """Raise ConflictError where the tenant exists."""

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        """Limit what the tenant's model calls may cost a day, or lift the limit.

        NotFoundError where there is none.
        """

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        """Give the tenant rates of its own, or the environment's back; NotFoundError where there is none."""

    def everyone(self) -> list[Tenant]:
        """Return all tenants by id; reads the whole table, so it is for operators only."""
