"""How many events each tenant sent: what a bill is measured by."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from functions.extract.api import QueueMessage
from membus.ports.usage import UsageLedger, UsageMonitor


def count_arrivals(
    messages: Iterable[QueueMessage], *, day: date, ledger: UsageLedger, monitor: UsageMonitor
) -> None:
    """Add the events that are delivered for the first time; a ledger that is down stops no event."""
    arrived = Counter(tenant for message in messages if message.receives == 1 and (tenant := message.tenant))
    for tenant, events in arrived.items():
        try:
            ledger.count_events(tenant, day, events)
        except Exception as error:  # noqa: BLE001 - a count that is off is better than a batch that is not learned from
            monitor.warn(
                "events are not counted", tenant_id=tenant, events=events, error=type(error).__name__
            )
