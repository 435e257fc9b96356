"""Buckets in a dictionary, and a turnstile over them."""

from collections import Counter

from membus.core.clock import Clock
from membus.tenants.model import RateLimit, RateLimitKind


class InMemoryRateLimits:
    """It can be taken away by an `outage`, any error, which everything then raises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_us: dict[tuple[str, RateLimitKind], int] = {}
        self.outage: Exception | None = None

    def consume_capacity(self, tenant: str, limited: RateLimitKind, count: int, rate: RateLimit) -> float:
        if self.outage:
            raise self.outage
        now_us = int(self._clock().timestamp() * 1_000_000)
        until_us = self._until_us.get((tenant, limited), 0)
        if wait := rate.wait_seconds(count, until_us=until_us, now_us=now_us):
            return wait
        self._until_us[tenant, limited] = rate.used_until_us(count, until_us=until_us, now_us=now_us)
        return 0


class RecordingRateLimitMonitor:
    """Figures by tenant and name; warnings keep their fields."""

    def __init__(self) -> None:
        self.figures: Counter[tuple[str, str]] = Counter()
        self.warnings: list[tuple[str, dict[str, object]]] = []

    def count_rate_limits(self, tenant: str, **figures: float) -> None:
        self.figures.update({(tenant, name): int(value) for name, value in figures.items()})

    def log_warning(self, message: str, **fields: object) -> None:
        self.warnings.append((message, fields))
