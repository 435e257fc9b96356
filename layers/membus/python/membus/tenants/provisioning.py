"""New tenants and new API keys, as operators and the local stack make them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from membus.core.errors import NotFoundError
from membus.tenants.api_keys import ApiKey, ApiKeyStore, ApiScope, Credential
from membus.tenants.model import Tenant
from membus.tenants.ports import TenantStore


def create_tenant(tenant_id: str, *, store: TenantStore, name: str | None = None) -> Tenant:
    """Add a tenant; raises ConflictError where it exists and InvalidError for an unusable id."""
    tenant = Tenant(tenant_id, name or tenant_id, datetime.now(UTC))
    store.add_tenant(tenant)
    return tenant


EVERYDAY_SCOPES = tuple(scope for scope in ApiScope if scope is not ApiScope.ADMIN)


def create_key(
    tenant_id: str,
    *,
    environment: str,
    tenants: TenantStore,
    keys: ApiKeyStore,
    scopes: Sequence[ApiScope] = EVERYDAY_SCOPES,
    name: str = "default",
    expires_in: timedelta | None = None,
) -> str:
    """Add a key and return its text, which is stored nowhere; NotFoundError where there is no such tenant."""
    if tenants.find_tenant(tenant_id) is None:
        raise NotFoundError(f"no tenant {tenant_id} in {environment}")
    credential, now = Credential.generate(environment), datetime.now(UTC)
    key = ApiKey(
        key_id=credential.key_id,
        tenant_id=tenant_id,
        name=name,
        scopes=tuple(scopes),
        secret_hash=credential.secret_hash,
        created_at=now,
        expires_at=now + expires_in if expires_in else None,
    )
    keys.add_key(key)
    return credential.full_text
