"""What arrives: a batch of queue messages, each holding an event as EventBridge wraps it."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from membus.core import strict_json
from membus.core.errors import InvalidError
from membus.core.event import Event, RecordedEvent

BODY_BYTES_MAX = 350_000
"""As at the door: what is larger is a file rather than an event.

A producer may put more than twice that on the bus.
"""


class QueueMessage(BaseModel):
    message_id: str = Field(alias="messageId")
    receipt: str = Field(alias="receiptHandle")
    body: str
    queue_arn: str = Field(alias="eventSourceARN")
    attributes: dict[str, Any] = Field(default_factory=dict)

    @property
    def receive_count(self) -> int:
        """How many times the queue has handed this message out; more than once means that a try failed."""
        return int(self.attributes.get("ApproximateReceiveCount", 1))

    @property
    def tenant_id(self) -> str | None:
        """Whose event it is; None for what is nobody's, which will be parked."""
        try:
            return self.parse_event().event.tenant_id
        except (ValidationError, InvalidError):
            return None

    def parse_event(self) -> RecordedEvent:
        """Return the event and the moment the bus accepted it.

        ValidationError or InvalidError where it is none.
        """
        if len(self.body.encode()) > BODY_BYTES_MAX:
            raise InvalidError(f"an event takes at most {BODY_BYTES_MAX} bytes", code="payload_too_large")
        envelope = BusEnvelope.model_validate(strict_json.parse_strict_json(self.body))
        return RecordedEvent(event=envelope.detail, learned_at=envelope.time)


class BusEnvelope(BaseModel):
    time: AwareDatetime
    detail: Event


class QueueBatch(BaseModel):
    records: list[QueueMessage] = Field(alias="Records")
