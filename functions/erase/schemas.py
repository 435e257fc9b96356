"""What arrives.

Queue messages that hold `erasure.due` as EventBridge wraps it, or as this function sent it itself.
"""

import json

from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import BaseModel, Json

from membus.core.event import Event
from membus.core.identity import Id


class ErasureDue(BaseModel):
    tenant_id: Id
    job_id: Id


class ErasureDueEnvelope(BaseModel):
    detail: Event


class ErasureDueRecord(SqsRecordModel):
    body: Json[ErasureDueEnvelope]

    @property
    def due(self) -> ErasureDue:
        event = self.body.detail
        return ErasureDue(tenant_id=event.tenant_id, job_id=str(event.payload.get("job_id")))

    def raw_body(self) -> str:
        """Return the body as another message may carry it."""
        return json.dumps({"detail": self.body.detail.model_dump(mode="json", by_alias=True)})
