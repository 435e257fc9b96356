"""Where it is written what model calls cost, and what becomes of it that cannot be written there."""

from datetime import date
from decimal import Decimal
from typing import Protocol

from membus.domain.usage import DailyUsage, ModelCall


class UsageLedger(Protocol):
    """Adds up; it keeps no single call. Days are UTC.

    Raises:
        UnavailableError: it cannot be reached.
    """

    def record(self, call: ModelCall) -> None:
        """Add the call to its day; a call whose record is repeated at once counts once."""

    def spent(self, tenant: str, day: date) -> Decimal:
        """Return the dollars that are known to be spent, every record that was acknowledged included."""

    def spendings(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        """Return what was spent from the first day to the last, both included, by day, function and model."""

    def count_events(self, tenant: str, day: date, events: int) -> None:
        """Add to the events that arrived on a day: what a bill is measured by."""

    def events(self, tenant: str, first: date, last: date) -> int: ...


class UsageMonitor(Protocol):
    """Hears what an operator should: numbers and warnings, with ids and sizes, never with content."""

    def count(self, model: str, **figures: float) -> None:
        """Add to the metrics of a model."""

    def warn(self, message: str, **fields: object) -> None: ...
