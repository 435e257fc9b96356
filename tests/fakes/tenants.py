"""Tenants in a dictionary."""

from dataclasses import replace
from decimal import Decimal

from membus.core.errors import ConflictError, NotFoundError
from membus.tenants.model import RateLimits, Tenant


class InMemoryTenants:
    def __init__(self, *tenants: Tenant) -> None:
        self._tenants = {tenant.tenant_id: tenant for tenant in tenants}

    def add_tenant(self, tenant: Tenant) -> None:
        if tenant.tenant_id in self._tenants:
            raise ConflictError(f"tenant {tenant.tenant_id} exists")
        self._tenants[tenant.tenant_id] = tenant

    def find_tenant(self, tenant_id: str) -> Tenant | None:
        return self._tenants.get(tenant_id)

    def set_budget(self, tenant_id: str, daily_dollars: Decimal | None) -> Tenant:
        self._tenants[tenant_id] = replace(self._known(tenant_id), daily_dollars=daily_dollars)
        return self._tenants[tenant_id]

    def set_rates(self, tenant_id: str, rates: RateLimits | None) -> Tenant:
        self._tenants[tenant_id] = replace(self._known(tenant_id), rates=rates)
        return self._tenants[tenant_id]

    def _known(self, tenant_id: str) -> Tenant:
        if tenant_id not in self._tenants:
            raise NotFoundError(f"no tenant {tenant_id}")
        return self._tenants[tenant_id]

    def list_tenants(self) -> list[Tenant]:
        return sorted(self._tenants.values(), key=lambda tenant: tenant.tenant_id)
