"""Episodes: recorded events as they are read, in time order, and what reading one event has cost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator
from ulid import ULID

from membus.core.clock import epoch_ms, from_epoch_ms
from membus.core.event import DEFAULT_AGENT, Event, ulid_at
from membus.core.identity import Id, Record

Tier = Literal["hot", "cold"]
TIME_LETTERS = 10
"""The letters of a ULID that hold its moment; the other sixteen tell events of one millisecond apart."""
PAGE_BYTES_MAX = 2_500_000
"""Lambda returns 6 MB, in which every quotation mark takes two bytes."""


class Episode(Record):
    """An event, when membus learned of it, and the tier it was read from."""

    event: Event
    learned_at: AwareDatetime
    tier: Tier = "hot"


class EpisodeQuery(Record):
    """Episodes of an agent, of a user, or of a user with an agent.

    `visible_to` is an agent that reads a user's episodes: it sees its own and those of no agent.
    They occurred from `start` on and before `end`, both cut to a millisecond.
    """

    tenant: Id
    agent: Id | None = None
    visible_to: Id | None = None
    start: datetime
    end: datetime
    session_id: Id | None = None
    user_id: Id | None = None

    def shows_agent(self, agent: str) -> bool:
        return self.agent in {None, agent} and (
            self.visible_to is None or agent in {self.visible_to, DEFAULT_AGENT}
        )

    @model_validator(mode="after")
    def _names_agent_or_user(self) -> Self:
        if self.agent is None and self.user_id is None:
            raise ValueError("name an agent or a user: nobody reads a whole tenant in time order")
        return self


def place_of(event: Event) -> str:
    """Return an event's position in time order, which is the same for every copy of it.

    Within a millisecond events of one request stand as they were sent. An event without a position, as
    producers put it on the bus, is placed by a hash.
    """
    identity = f"{event.user_id}\n{event.event_id}"
    order = b""
    if event.position is not None:
        micros = event.occurred_at.microsecond % 1000
        order = micros.to_bytes(2, "big") + event.position.to_bytes(2, "big")
    return f"{ulid_at(event.occurred_at, identity, order)}#{event.event_id}"


def count_fitting(sizes: Sequence[int], limit: int) -> int:
    """Return how many texts of these sizes make a page: at most `limit`, at least one."""
    total = 0
    for place, size in enumerate(sizes[:limit]):
        total += size
        if place and total > PAGE_BYTES_MAX:
            return place
    return min(limit, len(sizes))


def mark_before(moment: datetime) -> str:
    """Return the mark that sorts before every episode of this millisecond or later, and behind all others."""
    return str(ULID(epoch_ms(moment).to_bytes(6, "big") + bytes(10)))[:TIME_LETTERS]


def moment_of(mark: str) -> datetime:
    """Return the millisecond of a mark, or of an episode's place."""
    return from_epoch_ms(ULID.from_str(mark[:TIME_LETTERS] + "0" * 16).milliseconds)


class ReadingCost(Record):
    """What reading one event took: its part of every question that held its words, in tokens and dollars.

    `shared_by` counts the events of the question; `dollars` is None where the price list does not know the
    model.
    """

    model: str
    prompt_version: str
    shared_by: int
    questions: int = 1
    tokens_in: float
    tokens_out: float
    dollars: float | None

    def __add__(self, other: "ReadingCost") -> "ReadingCost":
        """Return the cost of several questions about parts of one long event."""
        dollars = None if self.dollars is None or other.dollars is None else self.dollars + other.dollars
        return self.model_copy(
            update={
                "questions": self.questions + other.questions,
                "tokens_in": self.tokens_in + other.tokens_in,
                "tokens_out": self.tokens_out + other.tokens_out,
                "dollars": dollars,
            }
        )


class EventTrace(Record):
    """What the event store knows of one event: its content, unless archived, and the cost of reading it.

    `answers` is what models proposed, as JSON by the names of prompt version and model.
    """

    event: Event | None
    extracted: str | None
    learned_at: AwareDatetime | None = None
    answers: Mapping[str, str] = Field(default_factory=dict)
    share: ReadingCost | None = None
