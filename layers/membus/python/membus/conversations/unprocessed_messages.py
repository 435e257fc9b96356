"""Unprocessed messages: what a user said a moment ago, for prompts, until extraction has read it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from membus.conversations.conversation import Turn
from membus.core.event import DEFAULT_AGENT, Event, RecordedEvent, ulid_at
from membus.core.identity import Id, Owner, Record
from membus.core.tokens import estimate_tokens

UNPROCESSED_LIFETIME = timedelta(hours=6)
"""Longer than a message to extract waits out an outage; later it is found by search alone."""
UNPROCESSED_MAX = 20
"""The newest that one read hands out; a person says less in the seconds that extract takes."""
TEXT_CHARACTERS_MAX = 2_000
"""Characters of an event's words: more than a prompt has room for."""
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a producer's clock may run before ours."""


class UnprocessedMessage(Record):
    """Words of a user, and the event of them; they are deleted once that event is processed.

    Without a conversation id they were said to another application.
    """

    event_id: Id
    conversation_id: Id | None
    agent_id: Id = DEFAULT_AGENT
    text: str
    said_at: AwareDatetime

    def is_visible_to(self, agent: str) -> bool:
        """Whether it was said to this agent, or to none in particular."""
        return self.agent_id in {agent, DEFAULT_AGENT}

    @property
    def sort_key(self) -> str:
        """The place among the user's messages, in the order of time for turns and events alike."""
        return self.event_id if self.conversation_id else _event_sort_key(self.event_id, self.said_at)

    @property
    def prompt_line(self) -> str:
        """The words as one line of data: no angle bracket or line break can end the fenced block."""
        words = " ".join(self.text.split()).replace("<", "‹").replace(">", "›")
        return f"- {self.said_at:%Y-%m-%d %H:%M} UTC: {words}"

    @property
    def expires_at(self) -> datetime:
        return self.said_at + UNPROCESSED_LIFETIME


def unprocessed_from_turn(
    turn: Turn, conversation_id: str, agent_id: str = DEFAULT_AGENT
) -> UnprocessedMessage:
    said = turn.user
    return UnprocessedMessage(
        event_id=turn.event_id,
        conversation_id=conversation_id,
        agent_id=agent_id,
        text=said.content,
        said_at=said.created_at,
    )


def unprocessed_from_events(
    events: Iterable[Event], now: datetime
) -> Mapping[Owner, Sequence[UnprocessedMessage]]:
    """Return by user what was said just now in events that the API accepts: as much as one read hands out."""
    said: dict[Owner, list[UnprocessedMessage]] = {}
    for event in sorted(events, key=lambda event: event.occurred_at):
        if event.remember and _is_unprocessed(event, now) and event.occurred_at <= now + CLOCK_SKEW_MAX:
            message = UnprocessedMessage(
                event_id=event.event_id,
                conversation_id=None,
                agent_id=event.agent_id,
                text=(event.user_text or "")[:TEXT_CHARACTERS_MAX],
                said_at=event.occurred_at,
            )
            said.setdefault(event.owner, []).append(message)
    return {owner: messages[-UNPROCESSED_MAX:] for owner, messages in said.items()}


def processed_sort_key(recorded: RecordedEvent) -> str | None:
    """Return the sort key of the unprocessed message that waits for this event, if any does."""
    event = recorded.event
    if event.origin == "chat":
        return event.event_id
    waits = _is_unprocessed(event, recorded.learned_at)
    return _event_sort_key(event.event_id, event.occurred_at) if waits else None


def _is_unprocessed(event: Event, now: datetime) -> bool:
    recent = now - event.occurred_at <= UNPROCESSED_LIFETIME
    return event.origin == "api" and event.user_text is not None and recent


def _event_sort_key(event_id: str, said_at: datetime) -> str:
    """Return a key beside those of turns, whose ids are `turn-` and a ULID."""
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
