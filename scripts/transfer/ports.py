"""Conversations that come back out of an archive: as they were, each part once."""

from collections.abc import Sequence
from typing import Protocol

from membus.conversations.conversation import Conversation, Message
from membus.conversations.summary import Summary, SummaryIndex


class RestoredConversations(Protocol):
    """Every method may be repeated: what is there stays as it is, whatever people have made of it since."""

    def restore_conversation(self, conversation: Conversation) -> Conversation:
        """Store the conversation without messages, or return the one that lies under its id, whoever's it is.

        Raises:
            ConflictError: `deleted`, one lay there and was deleted.
        """

    def restore_messages(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        """Add those of some messages, in the order of their ids, that are not there.

        Return how many these were.

        Raises:
            ConflictError: the conversation is gone, or others keep writing the same messages.
        """

    def restore_summaries(
        self, tenant: str, conversation_id: str, outline: SummaryIndex, summaries: Sequence[Summary]
    ) -> bool:
        """Store the summaries with the outline they led to, unless there is one.

        Return whether it was stored.

        Raises:
            ConflictError: the conversation is gone.
        """
