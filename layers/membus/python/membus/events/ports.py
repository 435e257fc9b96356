"""The ports of the bus and of the queues."""

from collections.abc import Sequence
from typing import Protocol

from membus.core.event import Event, RecordedEvent


class EventBus(Protocol):
    """The bus of one environment; every consumer gets what it takes."""

    def publish_events(self, events: Sequence[Event]) -> dict[int, str]:
        """Return the reason for each event that was not taken, by position; the others are durable."""


class HistoricalEventBus(Protocol):
    """The bus for an import: events of the past keep the moment they were learned at."""

    def republish_events(self, events: Sequence[RecordedEvent]) -> dict[int, str]:
        """Put events on the bus at the second they were learned; return as `publish_events`."""


class PoisonMessageQueue(Protocol):
    """The queue of messages that no retry can help: an operator looks at them."""

    def send_message(self, body: str, *, reason: str) -> None: ...


class SourceQueue(Protocol):
    """The queue that a message came from."""

    def delay_retry(self, receipt: str, *, seconds: int) -> None:
        """Deliver the message again after `seconds` instead of the queue's own timeout."""


class OverflowQueue(SourceQueue, Protocol):
    """The queue of events beyond a tenant's quota; it delivers fairly among tenants."""

    def is_source_of(self, queue_arn: str) -> bool:
        """Return whether messages with this ARN come from the queue."""

    def send_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        """Send messages, each a body and its tenant; return how many were taken before one was not."""


class DelayQueue(Protocol):
    """The queue that feeds a function, to which it sends messages for later."""

    def send_delayed(self, body: str, *, delay_seconds: int) -> None: ...
