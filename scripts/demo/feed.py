"""Sends events through the public API in batches and counts what became of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from scripts.demo.answers import ApiRejectedEvent
from scripts.demo.client import ApiClient
from scripts.demo.source import Event

BATCH_EVENTS = 100
TRIES = 3
UNAVAILABLE = "unavailable"  # the one refusal that says nothing about the event itself
BATCH_BYTES = 500_000
"""Well below the 1 MB a request to the bus may take, whatever the envelope adds."""


@dataclass
class SendReport:
    """`repeated` counts the events whose id went out before in this run.

    The door takes them, memory ignores them.
    """

    by_type: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    repeated: int = 0
    rejected: list[tuple[str, ApiRejectedEvent]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.by_type.total()


def send_events(api: ApiClient, events: Sequence[Event], *, advance: Callable[[int], object]) -> SendReport:
    """Send all events in order; `advance` hears the size of each batch once it is answered."""
    sent = SendReport(by_type=Counter(event["type"] for event in events))
    sent.repeated = len(events) - len({event["event_id"] for event in events})
    for batch in split_batches(events):
        _send_batch(api, batch, sent, tries_left=TRIES - 1)
        advance(len(batch))
    return sent


def _send_batch(api: ApiClient, batch: Sequence[Event], sent: SendReport, *, tries_left: int) -> None:
    """Send a batch, and again those of its events that the bus could not take just then."""
    receipt = api.send(batch)
    sent.accepted += len(receipt.accepted)
    again: list[Event] = []
    for refusal in receipt.rejected:
        event = batch[refusal.index]
        if refusal.code == UNAVAILABLE and tries_left:
            again.append(event)
        else:
            sent.rejected.append((event["event_id"], refusal))
    if again:
        _send_batch(api, again, sent, tries_left=tries_left - 1)


def split_batches(events: Sequence[Event]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    room = BATCH_BYTES
    for event in events:
        size = len(json.dumps(event))
        if batch and (len(batch) == BATCH_EVENTS or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(event)
        room -= size
    if batch:
        yield batch
