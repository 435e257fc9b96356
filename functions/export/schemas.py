"""What arrives: queue messages that hold `export.due` as EventBridge wraps it."""

from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import BaseModel, Json

from membus.core.event import Event
from membus.core.identity import Id


class ExportDueEnvelope(BaseModel):
    detail: Event


class ExportDueRecord(SqsRecordModel):
    body: Json[ExportDueEnvelope]

    @property
    def tenant(self) -> Id:
        return self.body.detail.tenant_id

    @property
    def job_id(self) -> str:
        return str(self.body.detail.payload.get("job_id"))
