"""A reply that has been promised by its id while it is still being worked on."""

from datetime import timedelta

from pydantic import AwareDatetime

from membus.domain.conversation import Conversation, Message
from membus.domain.identity import Id, Record

LASTS = timedelta(minutes=10)
"""Three tries of a turn that takes two minutes, and Lambda's pauses between them."""


class PendingReply(Record):
    """`became` is the id that the reply was stored under, which a summary that was faster can change."""

    message_id: Id
    since: AwareDatetime
    until: AwareDatetime
    became: Id | None = None

    @classmethod
    def begun(cls, message_id: str, now: AwareDatetime) -> "PendingReply":
        return cls(message_id=message_id, since=now, until=now + LASTS)

    def message(self, conversation: Conversation, now: AwareDatetime) -> Message:
        """Return the reply as it is to be shown while it is not stored: it comes, or its time has passed."""
        return Message(
            message_id=self.message_id, role="assistant", content="", author=conversation.agent_id, tokens=0,
            created_at=self.since, status="pending" if now < self.until else "incomplete",
        )  # fmt: skip
