"""Restores the conversations of an export file: as they were, each part once."""

from collections.abc import Sequence
from typing import Protocol

from membus.conversations.conversation import Conversation, Message
from membus.conversations.summary import Summary, SummaryIndex


class RestoredConversations(Protocol):
    """Every method may be repeated: what is stored already is not changed."""

    def restore_conversation(self, conversation: Conversation) -> Conversation:
        """Store the conversation without messages, or return the one that is stored under its id.

        Raises:
            ConflictError: `deleted`, the conversation was deleted here.
        """

    def restore_messages(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        """Add the messages that are not stored, and return their number; they are in the order of their ids.

        Raises:
            ConflictError: the conversation is gone, or others keep writing the same messages.
        """

    def restore_summaries(
        self, tenant: str, conversation_id: str, index: SummaryIndex, summaries: Sequence[Summary]
    ) -> bool:
        """Store the summaries and their index unless there is an index; return whether they were stored.

        Raises:
            ConflictError: the conversation is gone.
        """
