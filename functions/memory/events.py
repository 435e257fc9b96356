"""Events at the door: checked and put on the bus, whence everything else is learned."""

from collections.abc import Sequence
from typing import Any

from functions.memory.api import EventReceipt
from functions.memory.incoming import EventDefaults, IncomingEvents, check_events
from membus.domain.fresh import unprocessed_from_events
from membus.erasing import ErasureGuard
from membus.errors import UnavailableError
from membus.ports.events import EventBus
from membus.ports.fresh import UnprocessedMessages
from membus.ports.usage import UsageMonitor


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
        fresh.keep(unprocessed_from_events(incoming.events.values(), stamp.now))
    except UnavailableError as error:
        monitor.warn("what was just said is not kept", tenant_id=stamp.tenant, error=error.code)
    publish_events(incoming, bus=bus)
    return incoming.receipt()


def publish_events(incoming: IncomingEvents, *, bus: EventBus) -> None:
    """Put the events on the bus and refuse those that it did not take."""
    places = list(incoming.events)
    for place, code in bus.publish(list(incoming.events.values())).items():
        event = incoming.events[places[place]]
        detail = f"the bus did not take event {event.event_id} ({code}); send it again"
        incoming.refuse(places[place], "unavailable", detail)
