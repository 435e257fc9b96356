"""The turnstile at the door: a tenant that goes faster than it may is told when to come back."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from membus.core.clock import Clock
from membus.core.errors import RateLimitError
from membus.tenants.model import RateLimitKind, RateLimits
from membus.tenants.ports import RateLimitMonitor, RateLimitStore, TenantFinder

LIMITS_CACHE_LIFETIME = timedelta(minutes=1)
"""How long a changed rate may go unheard of."""
CACHED_TENANTS_MAX = 10_000


@dataclass(frozen=True)
class RateLimiter:
    """`usual` are the rates of tenants that have none of their own."""

    rates: RateLimitStore
    tenants: TenantFinder
    usual: RateLimits
    clock: Clock
    monitor: RateLimitMonitor
    _heard: dict[str, tuple[datetime, RateLimits]] = field(default_factory=dict)

    def check_rate(self, tenant: str, limited: RateLimitKind = "requests", count: int = 1) -> None:
        """Let a tenant's requests, or events, pass; the tenant is the credential's.

        Where it cannot be counted they pass: the gateway's own throttle is behind it, and memory must not
        fall over for want of a counter.

        Raises:
            RateError: they come too fast; none of them has passed.
        """
        try:
            rate = self._rates_of(tenant).limit_for(limited)
            wait = self.rates.consume_capacity(tenant, limited, min(count, rate.burst_size), rate)
        except Exception as error:  # noqa: BLE001 - as said: a table that is down must not take the door with it
            self.monitor.count_rate_limits(tenant, RatesUncounted=1)
            self.monitor.log_warning("a rate cannot be counted", tenant_id=tenant, error=type(error).__name__)
            return
        if wait:
            self.monitor.count_rate_limits(tenant, RateRefusals=1)
            raise RateLimitError(
                f"this tenant may send {rate.per_second:g} {limited} a second; try again in {math.ceil(wait)} s",
                retry_after_seconds=math.ceil(wait),
            )

    def _rates_of(self, tenant: str) -> RateLimits:
        heard, now = self._heard.get(tenant), self.clock()
        if heard and now - heard[0] < LIMITS_CACHE_LIFETIME:
            return heard[1]
        found = self.tenants.find_tenant(tenant)
        rates = (found.rates if found else None) or self.usual
        if len(self._heard) >= CACHED_TENANTS_MAX:
            self._heard.clear()
        self._heard[tenant] = now, rates
        return rates
