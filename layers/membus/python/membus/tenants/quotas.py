"""Tenant quotas: how many events of each tenant are read at once, the others having to wait (ADR 40)."""

from membus.core.clock import Clock
from membus.tenants.model import RateLimit

QUOTA_TENANTS_MAX = 10_000


class TenantQuotas:
    """The part of its quota that each tenant has used in this process; no store is asked."""

    def __init__(self, quota: RateLimit, clock: Clock) -> None:
        self._quota, self._clock = quota, clock
        self._used_until_us: dict[str, int] = {}

    def consume_quota(self, tenant: str) -> bool:
        """Take one event from the tenant's quota; return False where none is left."""
        now_us = int(self._clock().timestamp() * 1_000_000)
        until_us = self._used_until_us.get(tenant, 0)
        if self._quota.wait_seconds(1, until_us=until_us, now_us=now_us):
            return False
        if len(self._used_until_us) >= QUOTA_TENANTS_MAX:
            self._used_until_us.clear()
        self._used_until_us[tenant] = self._quota.used_until_us(1, until_us=until_us, now_us=now_us)
        return True
