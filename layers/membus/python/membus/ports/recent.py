"""What a user did lately: what a search falls back to while its index is away."""

from typing import Protocol

from membus.domain.event import Event
from membus.domain.identity import Owner


class RecentEvents(Protocol):
    def recent(self, owner: Owner, *, limit: int) -> list[Event]:
        """Return the newest events, newest first; one read."""
