"""One event by its id, with what became of it.

Episodes, read back.

What a user did lately: what a search falls back to while its index is away.
"""

from typing import Protocol

from membus.core.event import Event, RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.model import Episode, EpisodeQuery, EventTrace


class EventTraceReader(Protocol):
    def find_trace(self, tenant: str, event_id: str) -> EventTrace | None:
        """Return what is known of the event, None where its id is not; two reads at most."""


class EpisodeReader(Protocol):
    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        """Return episodes in the order in which they occurred, as many as one call can carry and find.

        A page goes on where the one before it ended, whatever was written or removed since; it may be empty
        and still not the last.
        """


class RecentEvents(Protocol):
    def list_recent_events(self, owner: Owner, *, limit: int) -> list[Event]:
        """Return the newest events, newest first; one read."""


class EpisodeStore(Protocol):
    """Every event that happened, once, under its one identity."""

    def record_event(self, recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        """Store the event unless its id is known, and return it as memory holds it.

        A known id is the same event whatever the copy says: the first copy comes back, with the extractor
        version that has read it (None if none has). `extracted` marks a new event as needing no reader.
        """

    def forget_event(self, recorded: RecordedEvent) -> None:
        """Remember only that this id was seen: its content leaves no trace."""
