"""What the demo feeds: events in the API's format, and the reading of them as one long transcript."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class EventSource:
    """Events in the order in which they are sent; `shared` when all users spoke in one conversation."""

    title: str
    events: Sequence[Event]
    shared: bool = False

    def users(self) -> list[str]:
        """Return the user ids, the one with the most events first."""
        return [user for user, _ in Counter(event["user_id"] for event in self.events).most_common()]

    def of(self, user: str) -> list[Event]:
        """Return each event that belongs to this user's history once, in the order in which they happened."""
        once: dict[str, Event] = {}
        for event in self.events:
            if self.shared or event["user_id"] == user:
                once.setdefault(event["event_id"], event)
        return sorted(once.values(), key=lambda event: str(event.get("occurred_at", "")))


def transcript(events: Sequence[Event]) -> str:
    """Return the messages as an application without a memory would send them: a line for each."""
    return "\n".join(
        f"{_speaker(event)}: {event['payload']['text']}"
        for event in events
        if event["type"] == "message.sent" and "text" in event.get("payload", {})
    )


def _speaker(event: Event) -> str:
    payload = event["payload"]
    return str(payload.get("speaker") or payload.get("role") or event["user_id"])
