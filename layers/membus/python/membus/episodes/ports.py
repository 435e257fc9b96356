"""Ports of episodes: the store of events, and what reads them back."""

from typing import Protocol

from membus.core.event import Event, RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.model import Episode, EpisodeQuery, EventTrace


class EventTraceReader(Protocol):
    def find_trace(self, owner: Owner, event_id: str) -> EventTrace | None:
        """Return what the store knows of an event, None for an unknown id; two reads at most."""


class EpisodeReader(Protocol):
    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        """Return episodes in the order in which they occurred, as many as one answer can hold.

        A page starts where the one before it ended, whatever was written or removed since. It may be empty
        and still not the last.
        """


class RecentEvents(Protocol):
    """Recent events of a user: what search falls back to while its index is away."""

    def list_recent_events(self, owner: Owner, *, limit: int) -> list[Event]:
        """Return the newest events, newest first; one read."""


class EpisodeStore(Protocol):
    """Every event once, under its user and its id."""

    def record_event(self, recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        """Store the event unless its id is known, and return the stored one.

        A known id is the same event whatever the copy says: the first copy comes back with the extractor
        version that has read it, None if none has. `extracted` marks a new event as read.
        """

    def forget_event(self, recorded: RecordedEvent) -> None:
        """Store only that the id was seen, and nothing of its content."""
