"""Events at the door: checked and put on the bus, whence everything else is learned."""

from collections.abc import Sequence
from typing import Any

from functions.memory.api import EventReceipt
from functions.memory.incoming import Incoming, Stamp, check
from membus.erasing import Gate
from membus.ports.events import EventBus


def accept_events(items: Sequence[Any], stamp: Stamp, *, gate: Gate, bus: EventBus) -> EventReceipt:
    """Publish what is valid and report the rest; an accepted event is durable on the bus.

    Raises:
        NothingAcceptedError: not one event was taken.
    """
    incoming = check(items, stamp, gate)
    publish(incoming, bus=bus)
    return incoming.receipt()


def publish(incoming: Incoming, *, bus: EventBus) -> None:
    """Put the events on the bus and refuse those that it did not take."""
    places = list(incoming.events)
    for place, code in bus.publish(list(incoming.events.values())).items():
        event = incoming.events[places[place]]
        detail = f"the bus did not take event {event.event_id} ({code}); send it again"
        incoming.refuse(places[place], "unavailable", detail)
