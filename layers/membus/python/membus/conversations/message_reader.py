"""A message by its id, also while it is being worked on: one answer for all who ask."""

from dataclasses import dataclass

from membus.conversations.conversation import Conversation, Message
from membus.conversations.ports import ConversationStore, ReplyJobStore
from membus.core.clock import Clock
from membus.core.errors import NotFoundError


@dataclass(frozen=True)
class MessageReader:
    conversations: ConversationStore
    jobs: ReplyJobStore
    clock: Clock

    def get_message(self, conversation: Conversation, message_id: str) -> Message:
        """Return the stored message, or a reply that is `pending`, or `incomplete` once its time has passed.

        Raises:
            NotFoundError: there is no such message and none is on its way.
        """
        tenant, conversation_id = conversation.tenant_id, conversation.conversation_id
        try:
            return self.conversations.get_message(tenant, conversation_id, message_id)
        except NotFoundError:
            job = self.jobs.get_by_message(tenant, conversation_id, message_id)
        if job.became is None:
            return job.to_message(conversation, self.clock())
        return self.conversations.get_message(tenant, conversation_id, job.became)
