"""A ledger in a list, and a monitor that remembers what it heard."""

from collections import Counter
from datetime import date
from decimal import Decimal

from membus.tenants.costs import DailyUsage, ModelCall, daily_usage_of_call, merge_daily_usage


class InMemoryUsageLedger:
    """It can be taken away by an `outage`, any error, which everything then raises."""

    def __init__(self) -> None:
        self.calls: dict[str, ModelCall] = {}
        self.outage: Exception | None = None
        self._events: Counter[tuple[str, date]] = Counter()

    def record_call(self, call: ModelCall) -> None:
        self._answer()
        self.calls.setdefault(call.call_id, call)

    def get_spent_dollars(self, tenant: str, day: date) -> Decimal:
        return sum(
            (each.dollars or Decimal(0) for each in self.list_daily_usage(tenant, day, day)), start=Decimal(0)
        )

    def list_daily_usage(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        self._answer()
        mine = (
            call for call in self.calls.values() if call.tenant_id == tenant and first <= call.utc_day <= last
        )
        return merge_daily_usage(map(daily_usage_of_call, mine))

    def add_event_count(self, tenant: str, day: date, events: int) -> None:
        self._answer()
        self._events[tenant, day] += events

    def get_event_count(self, tenant: str, first: date, last: date) -> int:
        self._answer()
        return sum(
            count for (whose, day), count in self._events.items() if whose == tenant and first <= day <= last
        )

    def _answer(self) -> None:
        if self.outage:
            raise self.outage


class RecordingUsageMonitor:
    """Figures add up over all models; warnings keep their fields."""

    def __init__(self) -> None:
        self.figures: Counter[str] = Counter()
        self.warnings: list[tuple[str, dict[str, object]]] = []

    def count_model_metrics(self, model: str, **figures: float) -> None:
        self.figures.update({name: int(value) for name, value in figures.items()})

    def log_warning(self, message: str, **fields: object) -> None:
        self.warnings.append((message, fields))
