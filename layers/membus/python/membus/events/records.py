"""Queue messages that hold an announcement, as EventBridge wraps it or as a function sent it itself."""

import json

from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import BaseModel, Json

from membus.core.event import Event


class AnnouncementEnvelope(BaseModel):
    detail: Event


class AnnouncementRecord(SqsRecordModel):
    body: Json[AnnouncementEnvelope]

    @property
    def event(self) -> Event:
        return self.body.detail

    @property
    def job_id(self) -> str:
        """The job that is due, by the announcement's payload."""
        return str(self.event.payload.get("job_id"))

    def serialize_body(self) -> str:
        """Return the body for another message."""
        return json.dumps({"detail": self.event.model_dump(mode="json", by_alias=True)})
