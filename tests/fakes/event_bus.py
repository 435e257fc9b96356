"""A bus that keeps what it was given, a quarantine that keeps what it was sent, a queue that keeps its orders."""

from collections.abc import Sequence

from membus.core.event import Event, RecordedEvent
from membus.events.sizes import EVENT_TOO_LARGE, is_too_large


class InMemoryEventBus:
    """`refusing` maps event ids to the code they are refused with; `*` stands for every event.

    `retold` are those of the `published` that were heard before, to the second.
    """

    def __init__(self, refusing: dict[str, str] | None = None) -> None:
        self.published: list[Event] = []
        self.retold: list[RecordedEvent] = []
        self.refusing = refusing or {}

    def publish_events(self, events: Sequence[Event]) -> dict[int, str]:
        refused: dict[int, str] = {}
        for place, event in enumerate(events):
            too_large = EVENT_TOO_LARGE if is_too_large(event) else None
            code = too_large or self.refusing.get(event.event_id, self.refusing.get("*"))
            if code:
                refused[place] = code
            else:
                self.published.append(event)
        return refused

    def republish_events(self, events: Sequence[RecordedEvent]) -> dict[int, str]:
        refused = self.publish_events([each.event for each in events])
        heard = (
            each.model_copy(update={"learned_at": each.learned_at.replace(microsecond=0)}) for each in events
        )
        self.retold += [each for place, each in enumerate(heard) if place not in refused]
        return refused


class InMemoryPoisonMessages:
    def __init__(self) -> None:
        self.parked: list[tuple[str, str]] = []

    def send_message(self, body: str, *, reason: str) -> None:
        self.parked.append((body, reason))


class InMemorySourceQueue:
    """Remembers which message was asked to come back after how many seconds."""

    def __init__(self) -> None:
        self.retries: dict[str, int] = {}

    def delay_retry(self, receipt: str, *, seconds: int) -> None:
        self.retries[receipt] = seconds


class InMemoryDelayQueue:
    """Keeps what was sent, with the seconds for which it is held back."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def send_delayed(self, body: str, *, delay_seconds: int) -> None:
        self.sent.append((body, delay_seconds))


class InMemoryOverflowQueue(InMemorySourceQueue):
    """Keeps what was set aside, a body and its tenant, until it holds `room`."""

    ARN = "arn:aws:sqs:us-east-1:123456789012:membus-test-extract-surplus"

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[str, str]] = []
        self.room = 1_000

    def is_source_of(self, queue_arn: str) -> bool:
        return queue_arn == self.ARN

    def send_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        taken = messages[: self.room - len(self.held)]
        self.held += taken
        return len(taken)
