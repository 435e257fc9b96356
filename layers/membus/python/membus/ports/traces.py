"""One event by its id, with what became of it."""

from typing import Protocol

from membus.domain.explaining import EventTrace


class EventTraceReader(Protocol):
    def trace(self, tenant: str, event_id: str) -> EventTrace | None:
        """Return what is known of the event, None where its id is not; two reads at most."""
