"""What a user said a moment ago: usable in any conversation before anybody has learned from it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from membus.conversations.conversation import Turn
from membus.core.event import Event, RecordedEvent, ulid_at
from membus.core.identity import Id, Owner, Record
from membus.core.tokens import estimate_tokens

UNPROCESSED_LIFETIME = timedelta(hours=6)
"""Longer than a message to extract waits out an outage.

What was not read by then is found by search alone.
"""
UNPROCESSED_MAX = 20
"""The newest that one read hands out; a person says less in the seconds that extract takes."""


TEXT_CHARACTERS_MAX = 2_000
"""Characters of an event's words: more than a prompt has room for."""
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a producer's clock may run before ours."""


class UnprocessedMessage(Record):
    """Words of a user, and the event that tells the bus of them; they go when that event has been read.

    What was said to another application, and came as an event, was said in no conversation of ours.
    """

    event_id: Id
    conversation_id: Id | None
    text: str
    said_at: AwareDatetime

    @property
    def sort_key(self) -> str:
        """Where they lie among the user's: places rise with time, of turns and of events alike."""
        return self.event_id if self.conversation_id else _event_sort_key(self.event_id, self.said_at)

    @property
    def prompt_line(self) -> str:
        """Return the words as one line of data.

        Angle brackets and line breaks cannot end the fenced block.
        """
        words = " ".join(self.text.split()).replace("<", "‹").replace(">", "›")
        return f"- {self.said_at:%Y-%m-%d %H:%M} UTC: {words}"

    @property
    def expires_at(self) -> datetime:
        return self.said_at + UNPROCESSED_LIFETIME


def unprocessed_from_turn(turn: Turn, conversation_id: str) -> UnprocessedMessage:
    said = turn.user
    return UnprocessedMessage(
        event_id=turn.event_id, conversation_id=conversation_id, text=said.content, said_at=said.created_at
    )


def unprocessed_from_events(
    events: Iterable[Event], now: datetime
) -> Mapping[Owner, Sequence[UnprocessedMessage]]:
    """Return by user what was said just now in events that came through the door: as much as is read."""
    said: dict[Owner, list[UnprocessedMessage]] = {}
    for event in events:
        if event.remember and _is_unprocessed(event, now) and event.occurred_at <= now + CLOCK_SKEW_MAX:
            words = UnprocessedMessage(
                event_id=event.event_id,
                conversation_id=None,
                text=(event.user_text or "")[:TEXT_CHARACTERS_MAX],
                said_at=event.occurred_at,
            )
            said.setdefault(event.owner, []).append(words)
    return {
        owner: sorted(words, key=lambda each: each.said_at)[-UNPROCESSED_MAX:]
        for owner, words in said.items()
    }


def processed_sort_key(recorded: RecordedEvent) -> str | None:
    """Return the place of the fresh words that may wait for this event to be read."""
    event = recorded.event
    if event.origin == "chat":
        return event.event_id
    return (
        _event_sort_key(event.event_id, event.occurred_at)
        if _is_unprocessed(event, recorded.learned_at)
        else None
    )


def _is_unprocessed(event: Event, now: datetime) -> bool:
    return (
        event.origin == "api"
        and event.user_text is not None
        and now - event.occurred_at <= UNPROCESSED_LIFETIME
    )


def _event_sort_key(event_id: str, said_at: datetime) -> str:
    """Return a place beside those of turns, whose ids are `turn-` and a ULID."""
    return f"turn-{ulid_at(said_at, event_id)}"


def render_unprocessed_block(
    said: Iterable[UnprocessedMessage], *, elsewhere_than: str | None, budget: int
) -> str:
    """Return the newest words from other conversations that fit the budget, oldest first, or nothing.

    What was said in `elsewhere_than` stands in that conversation's own window.
    """
    head, end = "<just_said_elsewhere>", "</just_said_elsewhere>"
    left = budget - estimate_tokens(head) - estimate_tokens(end)
    lines: list[str] = []
    for each in sorted(said, key=lambda fresh: fresh.said_at, reverse=True):
        if each.conversation_id == elsewhere_than:
            continue
        left -= estimate_tokens(each.prompt_line) + 1
        if left < 0:
            break
        lines.append(each.prompt_line)
    return "\n".join((head, *reversed(lines), end)) if lines else ""
