"""Events at the door: each checked on its own, stamped with the credential's tenant, and put on the bus."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from functions.memory.api import Accepted, EventIn, EventReceipt, Rejected
from membus.domain.corrections import RESERVED
from membus.domain.event import Event
from membus.domain.visible import is_blank
from membus.errors import InvalidError, MembusError, UnavailableError
from membus.ports.events import EventBus

EVENT_BYTES_MAX = 200_000
"""One event must pass the bus, the queue and a DynamoDB item with room to spare."""


class NothingAcceptedError(Exception):
    """No event of a batch was taken; `cause` is the one reason all of them share, else that they are invalid."""

    def __init__(self, receipt: EventReceipt) -> None:
        super().__init__("no event was accepted")
        self.receipt = receipt

    @property
    def cause(self) -> MembusError:
        codes = {each.code for each in self.receipt.rejected}
        if codes == {"unavailable"}:
            return UnavailableError("the bus takes no events right now")
        return InvalidError("no event was accepted", code=codes.pop() if len(codes) == 1 else "invalid")


def accept_events(
    items: Sequence[Any], *, tenant: str, request_key: str | None, now: datetime, bus: EventBus
) -> EventReceipt:
    """Publish what is valid and report the rest; an accepted event is durable on the bus.

    An event without an id gets one. Where the request has an Idempotency-Key the id follows from it and from what
    the event says, so that a retried request names the same events and a reused key swallows none.

    Raises:
        NothingAcceptedError: not one event was taken.
    """
    events: dict[int, Event] = {}
    rejected: list[Rejected] = []
    for index, item in enumerate(items):
        checked = _checked(item, index=index, tenant=tenant, request_key=request_key, now=now)
        if isinstance(checked, Event):
            events[index] = checked
        else:
            rejected.append(checked)
    places = list(events)
    for place, code in bus.publish(list(events.values())).items():
        event = events.pop(places[place])
        detail = f"the bus did not take event {event.event_id} ({code}); send it again"
        rejected.append(Rejected(index=places[place], code="unavailable", detail=detail))
    accepted = [Accepted(index=index, event_id=event.event_id) for index, event in events.items()]
    receipt = EventReceipt(accepted=accepted, rejected=sorted(rejected, key=lambda each: each.index))
    if not accepted:
        raise NothingAcceptedError(receipt)
    return receipt


def _checked(item: Any, *, index: int, tenant: str, request_key: str | None, now: datetime) -> Event | Rejected:
    try:
        event = EventIn.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "event"
        return Rejected(index=index, code="invalid", detail=f"{where}: {first['msg']}")
    if len(json.dumps(event.payload, ensure_ascii=False).encode()) > EVENT_BYTES_MAX:
        detail = f"an event takes at most {EVENT_BYTES_MAX} bytes"
        return Rejected(index=index, code="payload_too_large", detail=detail)
    if event.type.startswith(RESERVED):
        detail = f"type: {RESERVED}… is what membus says itself; set facts by PUT /v1/users/{{user}}/facts/{{key}}"
        return Rejected(index=index, code="reserved_type", detail=detail)
    if event.type == "message.sent" and is_blank(event.payload.get("text")):
        return Rejected(index=index, code="invalid", detail="payload.text: a message needs visible text")
    return Event(
        **event.model_dump(exclude={"event_id", "occurred_at"}),
        event_id=event.event_id or _stamped(tenant, request_key, index, item),
        tenant_id=tenant,
        occurred_at=event.occurred_at or now,
        origin="api",
    )


def _stamped(tenant: str, request_key: str | None, index: int, item: Any) -> str:
    if request_key is None:
        return uuid.uuid4().hex
    said = json.dumps(item, sort_keys=True)
    return hashlib.sha256(f"{tenant}\n{request_key}\n{index}\n{said}".encode()).hexdigest()[:32]
