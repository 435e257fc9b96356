"""Where tenants are kept."""

from typing import Protocol

from membus.domain.tenant import Tenant


class TenantStore(Protocol):
    def add(self, tenant: Tenant) -> None:
        """Raise ConflictError where the tenant exists."""

    def find(self, tenant_id: str) -> Tenant | None: ...

    def everyone(self) -> list[Tenant]:
        """Return all tenants by id; reads the whole table, so it is for operators only."""
