"""Where events go, and where they stay."""

from collections.abc import Sequence
from typing import Protocol

from membus.core.event import Event, RecordedEvent


class EventBus(Protocol):
    """The way to everybody who listens."""

    def publish_events(self, events: Sequence[Event]) -> dict[int, str]:
        """Return the reason for each event (by its place) that the bus did not take.

        The others are durable there.
        """


class HistoricalEventBus(Protocol):
    """The same way for what happened, and was heard, before: an import."""

    def republish_events(self, events: Sequence[RecordedEvent]) -> dict[int, str]:
        """Put events on the bus as heard when they were learned, to the second.

        Return what `publish` does.
        """


class PoisonMessageQueue(Protocol):
    """Messages that no retry can help, kept for a person to look at."""

    def send_message(self, body: str, *, reason: str) -> None: ...


class SourceQueue(Protocol):
    """The queue that brought a message, which has to come back."""

    def delay_retry(self, receipt: str, *, seconds: int) -> None:
        """Let the message come back after `seconds` instead of the queue's own timeout."""


class OverflowQueue(SourceQueue, Protocol):
    """Where what a tenant sends beyond its share waits; its consumer hands it out fairly among tenants."""

    def is_source_of(self, queue_arn: str) -> bool:
        """Whether a message that came from this queue came from here."""

    def send_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        """Keep messages, each a body and its tenant; return how many were taken before one was not."""


class DelayQueue(Protocol):
    """The queue that a function is fed from, for what it has to do later."""

    def send_delayed(self, body: str, *, delay_seconds: int) -> None: ...
