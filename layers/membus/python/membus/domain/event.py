"""What a user did: the event, its envelope on the bus, and what there is to read in it."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints
from ulid import ULID

from membus.domain.identity import Id, Owner, Record

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=64)]
Origin = Literal["api", "producer", "chat"]


class Event(Record):
    """The detail of a bus event. `origin` names the door it came through; `remember=False` leaves no trace of it."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    event_id: Id
    tenant_id: Id
    user_id: Id
    agent_id: Id = "default"
    session_id: Id | None = None
    type: EventType
    occurred_at: AwareDatetime
    payload: dict[str, Any] = Field(default_factory=dict)
    origin: Origin = "producer"
    remember: bool = True

    @property
    def owner(self) -> Owner:
        return Owner(tenant=self.tenant_id, user=self.user_id)

    @property
    def speech(self) -> str | None:
        """The user's own words, or None: the assistant's words never become facts about the user."""
        said = {"message.sent": self.payload, "turn.recorded": self.payload.get("user")}.get(self.type)
        if not isinstance(said, dict) or said.get("role", "user") != "user":
            return None
        text = said.get("text")
        return text if isinstance(text, str) and text.strip() else None


FORGOTTEN = "forgotten"
"""Stands where an extractor version would: this id was seen, and its event must leave no trace."""


class Recorded(Record):
    """An event as memory holds it: `learned_at` is when the bus accepted it, whenever it is processed."""

    event: Event
    learned_at: AwareDatetime
    extracted: str | None = None


def ulid_at(moment: datetime, seed: str) -> str:
    """Return the ULID of `moment` whose random part is drawn from `seed`: the same event sorts to the same place."""
    milliseconds = int(moment.timestamp() * 1000)
    return str(ULID(milliseconds.to_bytes(6, "big") + hashlib.sha256(seed.encode()).digest()[:10]))


def epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def from_epoch_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
