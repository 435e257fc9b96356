"""What arrives: a batch of queue messages, each with an event as EventBridge wraps it."""

from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from membus.core import strict_json
from membus.core.errors import InvalidError
from membus.core.event import Event, RecordedEvent
from membus.events.sizes import MESSAGE_BYTES_MAX


class QueueMessage(BaseModel):
    message_id: str = Field(alias="messageId")
    receipt: str = Field(alias="receiptHandle")
    body: str
    queue_arn: str = Field(alias="eventSourceARN")
    attributes: dict[str, Any] = Field(default_factory=dict)

    @property
    def receive_count(self) -> int:
        """How often the queue has handed this message out; more than once means that a try failed."""
        return int(self.attributes.get("ApproximateReceiveCount", 1))

    def parse_event(self) -> RecordedEvent:
        """Return the event and the moment at which the bus accepted it.

        Raises:
            ValidationError, InvalidError: the body holds no event.
        """
        if len(self.body.encode()) > MESSAGE_BYTES_MAX:
            raise InvalidError(f"an event takes at most {MESSAGE_BYTES_MAX} bytes", code="payload_too_large")
        envelope = BusEnvelope.model_validate(strict_json.parse_strict_json(self.body))
        return RecordedEvent(event=envelope.detail, learned_at=envelope.time)


class BusEnvelope(BaseModel):
    time: AwareDatetime
    detail: Event


class QueueBatch(BaseModel):
    records: list[QueueMessage] = Field(alias="Records")


@dataclass(frozen=True)
class UnreadEvent:
    """An event that no model has read yet, and the messages that brought it (copies share one event)."""

    recorded: RecordedEvent
    messages: tuple[QueueMessage, ...]

    @property
    def event_id(self) -> str:
        return self.recorded.event_id


MessageFailure = tuple[QueueMessage, Exception]
