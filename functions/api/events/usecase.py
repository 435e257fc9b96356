"""Events of a request: each is checked and completed on its own, then published on the bus."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from functions.api.events.schemas import AcceptedEvent, EpisodeIn, EventIn, EventReceipt, RejectedEvent
from functions.api.fields import describe_first_error
from membus.conversations.ports import UnprocessedMessages
from membus.conversations.unprocessed_messages import unprocessed_from_events
from membus.core.errors import InvalidError, MembusError, UnavailableError
from membus.core.event import EVENT_BYTES_MAX, Event, RecordedEvent, ulid_at
from membus.core.strict_json import UnreadableItem
from membus.core.text.normalization import is_blank
from membus.erasure.guard import ErasureGuard
from membus.events.ports import EventBus
from membus.events.sizes import EVENT_TOO_LARGE
from membus.facts.corrections import RESERVED_TYPE_PREFIX
from membus.tenants.ports import UsageMonitor

EVENT_SPACING = timedelta(milliseconds=1)
"""Events of one request that name no moment keep their order."""


class NothingAcceptedError(Exception):
    """No event of a batch was accepted."""

    def __init__(self, receipt: EventReceipt) -> None:
        super().__init__("no event was accepted")
        self.receipt = receipt

    @property
    def common_error(self) -> MembusError:
        """The one reason that all events share, else that they are invalid."""
        codes = {each.code for each in self.receipt.rejected}
        if codes == {"unavailable"}:
            return UnavailableError("no events can be taken right now")
        return InvalidError("no event was accepted", code=codes.pop() if len(codes) == 1 else "invalid")


@dataclass(frozen=True)
class EventDefaults:
    """What the API adds to an event; `agent` is that of the path, without which the event names its agent."""

    tenant: str
    now: datetime
    request_key: str | None
    agent: str | None = None

    def complete_event(self, item: Any, index: int) -> Event:
        """Return the event with tenant, agent, moment and id.

        With an Idempotency-Key the id follows from the key and the content, so that a repeated request names
        the same events, and a key that is used twice loses none.

        Raises:
            ValidationError: the item is no event.
        """
        given: EpisodeIn = (EpisodeIn if self.agent else EventIn).model_validate(item)
        fields = given.model_dump(exclude={"event_id", "occurred_at"})
        return Event(
            **fields | ({"agent_id": self.agent} if self.agent else {}),
            event_id=given.event_id or self._make_id(item, index),
            tenant_id=self.tenant,
            occurred_at=given.occurred_at or self.now + index * EVENT_SPACING,
            origin="api",
            position=index,
        )

    def _make_id(self, item: Any, index: int) -> str:
        if self.request_key is None:  # ids sort in the order of arrival, also within one moment
            return ulid_at(self.now + index * EVENT_SPACING, uuid.uuid4().hex)
        content = json.dumps(item, sort_keys=True)
        place = f"{index}\n{self.agent}" if self.agent else str(index)
        identity = f"{self.tenant}\n{self.request_key}\n{place}\n{content}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]


@dataclass
class IncomingEvents:
    """The events of one request by their index in it, their copies, and those that were rejected.

    `copies` has by index the first event that a copy repeats, and whether its content differs.
    """

    events: dict[int, Event] = field(default_factory=dict)
    rejected: list[RejectedEvent] = field(default_factory=list)
    copies: dict[int, tuple[int, bool]] = field(default_factory=dict)

    def add_event(self, index: int, event: Event) -> None:
        """Add an event, or note that it repeats an earlier one of the request."""
        for earlier, other in self.events.items():
            if (other.user_id, other.event_id) == (event.user_id, event.event_id):
                self.copies[index] = earlier, not has_same_content(event, other)
                return
        self.events[index] = event

    def reject_event(self, index: int, code: str, detail: str) -> None:
        self.events.pop(index, None)
        self.rejected.append(RejectedEvent(index=index, code=code, detail=detail))

    def make_receipt(self) -> EventReceipt:
        """Return what became of every event; NothingAcceptedError where none was accepted."""
        accepted = [
            AcceptedEvent(
                index=index, event_id=event.event_id, note=None if event.is_known else "unknown_type"
            )
            for index, event in self.events.items()
        ]
        rejected = {each.index: each for each in self.rejected}
        for index, (first, differs) in self.copies.items():
            if first in self.events:
                event_id = self.events[first].event_id
                copy = AcceptedEvent(index=index, event_id=event_id, duplicate=True, differs=differs)
                accepted.append(copy)
            else:
                rejected[index] = rejected[first].model_copy(update={"index": index})
        receipt = EventReceipt(
            accepted=sorted(accepted, key=lambda each: each.index),
            rejected=sorted(rejected.values(), key=lambda each: each.index),
        )
        if not accepted:
            raise NothingAcceptedError(receipt)
        return receipt


def check_events(items: Sequence[Any], defaults: EventDefaults, guard: ErasureGuard) -> IncomingEvents:
    """Return the valid events that may be stored; one that must not be remembered loses its payload."""
    incoming = IncomingEvents()
    for index, item in enumerate(items):
        if isinstance(item, UnreadableItem):
            incoming.reject_event(index, item.error.code, item.error.detail)
            continue
        try:
            event = defaults.complete_event(item, index)
        except ValidationError as error:
            incoming.reject_event(index, "invalid", describe_first_error(error, "event"))
            continue
        if problem := _event_problem(event) or _erasure_problem(event, defaults.now, guard):
            incoming.reject_event(index, *problem)
        else:
            incoming.add_event(index, event if event.remember else event.model_copy(update={"payload": {}}))
    return incoming


def has_same_content(event: Event, other: Event) -> bool:
    """Whether two events of one id say the same, whatever their moments: the API may have stamped them."""
    ignored = {"occurred_at", "origin", "position"}
    return event.model_dump(exclude=ignored) == other.model_dump(exclude=ignored)


def _event_problem(event: Event) -> tuple[str, str] | None:
    """Return the code and the description of what is wrong with a well-formed event."""
    if len(json.dumps(event.payload, ensure_ascii=False).encode()) > EVENT_BYTES_MAX:
        return "payload_too_large", f"an event takes at most {EVENT_BYTES_MAX} bytes"
    if event.type.startswith(RESERVED_TYPE_PREFIX):
        instead = "set facts by PUT /v1/users/{user}/facts/{key}"
        return "reserved_type", f"type: {RESERVED_TYPE_PREFIX}… is what membus says itself; {instead}"
    if event.type == "message.sent" and is_blank(event.payload.get("text")):
        return "invalid", "payload.text: a message needs visible text"
    return None


def _erasure_problem(event: Event, now: datetime, guard: ErasureGuard) -> tuple[str, str] | None:
    """Return the code and the description of why an erasure forbids the event."""
    try:
        accepted = guard.accepts_event(RecordedEvent(event=event, learned_at=now))
    except UnavailableError:
        return "erasing", f"user {event.user_id} is being erased; send it again when that is done"
    return None if accepted else ("erased", f"this happened before user {event.user_id} was erased")


def accept_events(
    items: Sequence[Any],
    defaults: EventDefaults,
    *,
    guard: ErasureGuard,
    bus: EventBus,
    unprocessed: UnprocessedMessages,
    monitor: UsageMonitor,
) -> EventReceipt:
    """Publish the valid events and report the others; an accepted event is durable on the bus.

    Messages are stored for the next turn of chat first, because extraction, which removes them, comes after.
    Whatever storing them fails with, the events are accepted all the same.

    Raises:
        NothingAcceptedError: not one event was accepted.
    """
    incoming = check_events(items, defaults, guard)
    try:
        unprocessed.add_messages(unprocessed_from_events(incoming.events.values(), defaults.now))
    except MembusError as error:
        monitor.log_warning("what was just said is not kept", tenant_id=defaults.tenant, error=error.code)
    publish_events(incoming, bus=bus)
    return incoming.make_receipt()


def publish_events(incoming: IncomingEvents, *, bus: EventBus) -> None:
    """Put the events on the bus and reject those that it did not accept."""
    places = list(incoming.events)
    for place, code in bus.publish_events(list(incoming.events.values())).items():
        event = incoming.events[places[place]]
        if code == EVENT_TOO_LARGE:
            detail = f"event {event.event_id} is too large with its ids and type: send less"
            incoming.reject_event(places[place], "payload_too_large", detail)
            continue
        detail = f"the bus did not take event {event.event_id} ({code}); send it again"
        incoming.reject_event(places[place], "unavailable", detail)
