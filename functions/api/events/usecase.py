"""Events as they come in: each checked on its own, stamped with what the credential and the path say.

Events at the door: checked and put on the bus, whence everything else is learned.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from functions.api.events.schemas import AcceptedEvent, EpisodeIn, EventIn, EventReceipt, RejectedEvent
from membus.conversations.ports import UnprocessedMessages
from membus.conversations.unprocessed_messages import unprocessed_from_events
from membus.core.errors import InvalidError, MembusError, UnavailableError
from membus.core.event import EVENT_BYTES_MAX, Event, RecordedEvent, ulid_at
from membus.core.text.normalization import is_blank
from membus.erasure.guard import ErasureGuard
from membus.events.ports import EventBus
from membus.facts.corrections import RESERVED_TYPE_PREFIX
from membus.tenants.ports import UsageMonitor

EVENT_SPACING = timedelta(milliseconds=1)
"""Events of one request that name no moment keep their order."""


class NothingAcceptedError(Exception):
    """No event of a batch was taken.

    `cause` is the one reason all of them share, else that they are invalid.
    """

    def __init__(self, receipt: EventReceipt) -> None:
        super().__init__("no event was accepted")
        self.receipt = receipt

    @property
    def common_error(self) -> MembusError:
        codes = {each.code for each in self.receipt.rejected}
        if codes == {"unavailable"}:
            return UnavailableError("no events can be taken right now")
        return InvalidError("no event was accepted", code=codes.pop() if len(codes) == 1 else "invalid")


@dataclass(frozen=True)
class EventDefaults:
    """What an event cannot say itself. `agent` is the path's; without one the event names its agent."""

    tenant: str
    now: datetime
    request_key: str | None
    agent: str | None = None

    def complete_event(self, item: Any, index: int) -> Event:
        """Return the event as it will be known.

        An event without an id gets one. Where the request has an Idempotency-Key the id follows from it and
        from what the event says, so that a retried request names the same events and a reused key swallows
        none.

        Raises:
            ValidationError: it is no event.
        """
        said: EpisodeIn = (EpisodeIn if self.agent else EventIn).model_validate(item)
        members = said.model_dump(exclude={"event_id", "occurred_at"}) | (
            {"agent_id": self.agent} if self.agent else {}
        )
        return Event(
            **members,
            event_id=said.event_id or self._id(item, index),
            tenant_id=self.tenant,
            occurred_at=said.occurred_at or self.now + index * EVENT_SPACING,
            origin="api",
        )

    def _id(self, item: Any, index: int) -> str:
        if self.request_key is None:
            return ulid_at(
                self.now + index * EVENT_SPACING, uuid.uuid4().hex
            )  # sorts as it came, also within one moment
        said = json.dumps(item, sort_keys=True)
        place = f"{index}\n{self.agent}" if self.agent else str(index)
        return hashlib.sha256(f"{self.tenant}\n{self.request_key}\n{place}\n{said}".encode()).hexdigest()[:32]


@dataclass
class IncomingEvents:
    """The events of one request by their place in it; whoever cannot take one refuses it."""

    events: dict[int, Event] = field(default_factory=dict)
    rejected: list[RejectedEvent] = field(default_factory=list)

    def reject_event(self, index: int, code: str, detail: str) -> None:
        self.events.pop(index, None)
        self.rejected.append(RejectedEvent(index=index, code=code, detail=detail))

    def make_receipt(self) -> EventReceipt:
        """Return what became of every event; NothingAcceptedError where not one was taken."""
        accepted = [
            AcceptedEvent(index=index, event_id=event.event_id) for index, event in self.events.items()
        ]
        receipt = EventReceipt(accepted=accepted, rejected=sorted(self.rejected, key=lambda each: each.index))
        if not accepted:
            raise NothingAcceptedError(receipt)
        return receipt


def check_events(items: Sequence[Any], stamp: EventDefaults, gate: ErasureGuard) -> IncomingEvents:
    """Check each event on its own; one to be left alone goes on without its words.

    Archives and queues keep theirs.
    """
    incoming = IncomingEvents()
    for index, item in enumerate(items):
        try:
            event = stamp.complete_event(item, index)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "event"
            incoming.reject_event(index, "invalid", f"{where}: {first['msg']}")
            continue
        incoming.events[index] = event if event.remember else event.model_copy(update={"payload": {}})
        if problem := _event_problem(event) or _erasure_problem(event, stamp.now, gate):
            incoming.reject_event(index, *problem)
    return incoming


def _erasure_problem(event: Event, now: datetime, gate: ErasureGuard) -> tuple[str, str] | None:
    """Return why an event may not be kept although it is well-formed.

    What is refused here would be dropped later.
    """
    try:
        admitted = gate.accepts_event(RecordedEvent(event=event, learned_at=now))
    except UnavailableError:
        return "erasing", f"user {event.user_id} is being erased; send it again when that is done"
    return None if admitted else ("erased", f"this happened before user {event.user_id} was erased")


def _event_problem(event: Event) -> tuple[str, str] | None:
    """Return the code and the words for what is wrong with a well-formed event."""
    if len(json.dumps(event.payload, ensure_ascii=False).encode()) > EVENT_BYTES_MAX:
        return "payload_too_large", f"an event takes at most {EVENT_BYTES_MAX} bytes"
    if event.type.startswith(RESERVED_TYPE_PREFIX):
        words = f"type: {RESERVED_TYPE_PREFIX}… is what membus says itself; set facts by PUT /v1/users/{{user}}/facts/{{key}}"
        return "reserved_type", words
    if event.type == "message.sent" and is_blank(event.payload.get("text")):
        return "invalid", "payload.text: a message needs visible text"
    return None


def accept_events(
    items: Sequence[Any],
    stamp: EventDefaults,
    *,
    gate: ErasureGuard,
    bus: EventBus,
    fresh: UnprocessedMessages,
    monitor: UsageMonitor,
) -> EventReceipt:
    """Publish what is valid and report the rest; an accepted event is durable on the bus.

    What users say is kept for the next turn of chat before it is published: extract, which lets go of it,
    comes after. It is a courtesy: where it cannot be kept, the event is taken all the same.

    Raises:
        NothingAcceptedError: not one event was taken.
    """
    incoming = check_events(items, stamp, gate)
    try:
        fresh.add_messages(unprocessed_from_events(incoming.events.values(), stamp.now))
    except UnavailableError as error:
        monitor.log_warning("what was just said is not kept", tenant_id=stamp.tenant, error=error.code)
    publish_events(incoming, bus=bus)
    return incoming.make_receipt()


def publish_events(incoming: IncomingEvents, *, bus: EventBus) -> None:
    """Put the events on the bus and refuse those that it did not take."""
    places = list(incoming.events)
    for place, code in bus.publish_events(list(incoming.events.values())).items():
        event = incoming.events[places[place]]
        detail = f"the bus did not take event {event.event_id} ({code}); send it again"
        incoming.reject_event(places[place], "unavailable", detail)
