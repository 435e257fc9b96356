"""Events: what a user did, as it travels on the bus and as it is recorded."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from ulid import ULID

from membus.core.clock import EARLIEST, LATEST, epoch_ms
from membus.core.event_shapes import canonical_type, find_user_text, is_known_type, is_user_role, read_fields
from membus.core.identity import Id, Owner, Record
from membus.core.text.normalization import is_blank

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=64)]
EventOrigin = Literal["api", "producer", "chat"]
DEFAULT_AGENT = "default"
"""The agent of events that name none."""
POSITION_MAX = 999
EVENT_BYTES_MAX = 200_000
"""Bytes of a payload: with ids and wrapping, an event must fit the queues behind the bus (events/sizes.py)."""


def _validate_moment(value: datetime) -> datetime:
    """Refuse a moment that a ULID or a day in UTC cannot hold."""
    if not EARLIEST <= value < LATEST:
        raise ValueError("name a moment between the years 1970 and 9999")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_validate_moment)]


class Event(Record):
    """The detail of a bus event; `origin` says how it came in, `remember=False` keeps it out of memory.

    `position` is its place in the request that brought it, by which events of one moment keep their order.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    event_id: Id
    tenant_id: Id
    user_id: Id
    agent_id: Id = DEFAULT_AGENT
    session_id: Id | None = None
    type: EventType
    occurred_at: Moment
    payload: dict[str, Any] = Field(default_factory=dict)
    origin: EventOrigin = "producer"
    remember: bool = True
    position: int | None = Field(default=None, ge=0, le=POSITION_MAX, exclude_if=lambda place: place is None)

    @property
    def owner(self) -> Owner:
        return Owner(tenant=self.tenant_id, user=self.user_id)

    @property
    def user_text(self) -> str | None:
        """The user's own words, None without any: an assistant's words never become facts about the user."""
        if self.type != "turn.recorded":
            return find_user_text(self.type, self.payload)
        said = self.payload.get("user")
        if not isinstance(said, dict) or not is_user_role(said.get("role")) or is_blank(said.get("text")):
            return None
        return str(said["text"])

    @property
    def known_type(self) -> str:
        """The type as which it is read: that of a `button.clicked` is `element.clicked`."""
        return canonical_type(self.type)

    @property
    def is_known(self) -> bool:
        """Whether rules or the model read events of this type, or words of the user's in it."""
        return is_known_type(self.type) or self.user_text is not None

    @property
    def fields(self) -> dict[str, Any]:
        """The payload, with its fields under the names that rules read."""
        return read_fields(self.type, self.payload)


FORGOTTEN = "forgotten"
"""Replaces the extractor version of an event that must leave no trace: only its id is known."""


BUS_CLOCK_STEP = timedelta(seconds=1)
"""EventBridge tells the time of an event in whole seconds."""


class RecordedEvent(Record):
    """A recorded event; `learned_at` is when the bus took it, `extracted` the extractor version, if any."""

    event: Event
    learned_at: AwareDatetime
    extracted: str | None = None

    @property
    def event_id(self) -> str:
        return self.event.event_id

    @property
    def owner(self) -> Owner:
        return self.event.owner

    @property
    def true_from(self) -> datetime:
        """When the event's facts became true: not after it was learned, whatever a client's clock says.

        The bus stamps whole seconds; a finer moment within that second is kept, so that two statements of one
        second stay in the order in which they were made.
        """
        if self.event.occurred_at < self.learned_at + BUS_CLOCK_STEP:
            return self.event.occurred_at
        return self.learned_at


def ulid_at(moment: datetime, seed: str, order: bytes = b"") -> str:
    """Return the ULID of `moment` with a hash of `seed` as its random part: the same for every copy.

    `order` comes before the hash and sorts ULIDs of one millisecond.
    """
    digest = hashlib.sha256(seed.encode()).digest()
    return str(ULID(epoch_ms(moment).to_bytes(6, "big") + (order + digest)[:10]))


IMPORTED_EVENT_TYPE = "memory.imported"
"""The type of an event with another system's statement about a user, of which no author is known."""
