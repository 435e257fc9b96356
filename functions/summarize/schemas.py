"""What arrives: queue messages that hold `summary.due` as EventBridge wraps it."""

from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import BaseModel, Json

from membus.core.event import Event
from membus.core.identity import Id


class SummaryDue(BaseModel):
    tenant_id: Id
    conversation_id: Id


class SummaryDueEnvelope(BaseModel):
    detail: Event


class SummaryDueRecord(SqsRecordModel):
    body: Json[SummaryDueEnvelope]

    @property
    def due(self) -> SummaryDue:
        event = self.body.detail
        return SummaryDue(
            tenant_id=event.tenant_id, conversation_id=str(event.payload.get("conversation_id"))
        )
