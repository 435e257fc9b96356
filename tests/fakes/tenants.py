"""Tenants in a dictionary."""

from membus.domain.tenant import Tenant
from membus.errors import ConflictError


class InMemoryTenants:
    def __init__(self, *tenants: Tenant) -> None:
        self._tenants = {tenant.tenant_id: tenant for tenant in tenants}

    def add(self, tenant: Tenant) -> None:
        if tenant.tenant_id in self._tenants:
            raise ConflictError(f"tenant {tenant.tenant_id} exists")
        self._tenants[tenant.tenant_id] = tenant

    def find(self, tenant_id: str) -> Tenant | None:
        return self._tenants.get(tenant_id)

    def everyone(self) -> list[Tenant]:
        return sorted(self._tenants.values(), key=lambda tenant: tenant.tenant_id)
