"""Rate limiting: requests and events beyond a tenant's rate are refused, with the time to wait."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from membus.core.clock import Clock
from membus.core.errors import RateLimitError
from membus.tenants.model import RateLimitKind, RateLimits
from membus.tenants.ports import RateLimitMonitor, RateLimitStore, TenantFinder

LIMITS_CACHE_LIFETIME = timedelta(minutes=1)
"""How long an environment may use a rate that was changed."""
CACHED_TENANTS_MAX = 10_000


@dataclass(frozen=True)
class RateLimiter:
    """Rate limits of all tenants; `usual` are those of tenants without their own."""

    rates: RateLimitStore
    tenants: TenantFinder
    usual: RateLimits
    clock: Clock
    monitor: RateLimitMonitor
    _cached: dict[str, tuple[datetime, RateLimits]] = field(default_factory=dict)

    def check_rate(self, tenant: str, limited: RateLimitKind = "requests", count: int = 1) -> None:
        """Take `count` requests or events from the rate of the credential's tenant.

        All pass where the counter is down: the gateway has a throttle of its own.

        Raises:
            RateLimitError: they come too fast; none of them is counted.
        """
        try:
            rate = self._rates_of(tenant).limit_for(limited)
            wait = self.rates.consume_capacity(tenant, limited, min(count, rate.burst_size), rate)
        except Exception as error:  # noqa: BLE001 - requests go on without the counter
            self.monitor.count_rate_limits(tenant, RatesUncounted=1)
            self.monitor.log_warning("a rate cannot be counted", tenant_id=tenant, error=type(error).__name__)
            return
        if wait:
            seconds = math.ceil(wait)
            self.monitor.count_rate_limits(tenant, RateRefusals=1)
            raise RateLimitError(
                f"this tenant may send {rate.per_second:g} {limited} a second; try again in {seconds} s",
                retry_after_seconds=seconds,
            )

    def _rates_of(self, tenant: str) -> RateLimits:
        cached, now = self._cached.get(tenant), self.clock()
        if cached and now - cached[0] < LIMITS_CACHE_LIFETIME:
            return cached[1]
        found = self.tenants.find_tenant(tenant)
        rates = (found.rates if found else None) or self.usual
        if len(self._cached) >= CACHED_TENANTS_MAX:
            self._cached.clear()
        self._cached[tenant] = now, rates
        return rates
