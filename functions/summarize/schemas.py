"""What arrives: queue messages with the event `summary.due`, as EventBridge wraps it."""

from pydantic import BaseModel

from membus.core.identity import Id
from membus.events.records import AnnouncementRecord


class SummaryDue(BaseModel):
    tenant_id: Id
    conversation_id: Id


class SummaryDueRecord(AnnouncementRecord):
    @property
    def due(self) -> SummaryDue:
        conversation_id = str(self.event.payload.get("conversation_id"))
        return SummaryDue(tenant_id=self.event.tenant_id, conversation_id=conversation_id)
