"""What a user said a moment ago: usable in any conversation before anybody has learned from it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from membus.domain.conversation import Turn
from membus.domain.event import Event
from membus.domain.identity import Id, Record
from membus.domain.tokens import estimate_tokens

LIFETIME = timedelta(hours=6)
"""Longer than a message to extract waits out an outage; what was not read by then is found by search alone."""
FRESH_MAX = 20
"""The newest that one read hands out; a person says less in the seconds that extract takes."""


class Fresh(Record):
    """Words of a user, under the id of the event that tells the bus of them; it goes when that event has been read."""

    event_id: Id
    conversation_id: Id
    text: str
    said_at: AwareDatetime

    @property
    def line(self) -> str:
        """Return the words as one line of data; angle brackets and line breaks cannot end the fenced block."""
        words = " ".join(self.text.split()).replace("<", "‹").replace(">", "›")
        return f"- {self.said_at:%Y-%m-%d %H:%M} UTC: {words}"

    @property
    def expires_at(self) -> datetime:
        return self.said_at + LIFETIME


def fresh_of(turn: Turn, conversation_id: str) -> Fresh:
    said = turn.user
    return Fresh(event_id=turn.event_id, conversation_id=conversation_id, text=said.content, said_at=said.created_at)


def settles(event: Event) -> bool:
    """Whether fresh words may wait for this event to be read."""
    return event.origin == "chat"


def fresh_block(said: Iterable[Fresh], *, elsewhere_than: str | None, budget: int) -> str:
    """Return the newest words from other conversations that fit the budget, oldest first, or nothing.

    What was said in `elsewhere_than` stands in that conversation's own window.
    """
    head, end = "<just_said_elsewhere>", "</just_said_elsewhere>"
    left = budget - estimate_tokens(head) - estimate_tokens(end)
    lines: list[str] = []
    for each in sorted(said, key=lambda fresh: fresh.said_at, reverse=True):
        if each.conversation_id == elsewhere_than:
            continue
        left -= estimate_tokens(each.line) + 1
        if left < 0:
            break
        lines.append(each.line)
    return "\n".join((head, *reversed(lines), end)) if lines else ""
