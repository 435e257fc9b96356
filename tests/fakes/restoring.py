"""Conversations out of an archive into those in memory."""

from collections.abc import Sequence

from membus.conversations.conversation import Conversation, Message
from membus.conversations.summary import Summary, SummaryIndex
from membus.conversations.window import message_tokens
from membus.core.errors import ConflictError, NotFoundError
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.summaries import InMemorySummaries


class InMemoryRestoredConversations:
    def __init__(self, conversations: InMemoryConversations, summaries: InMemorySummaries) -> None:
        self._conversations, self._summaries = conversations, summaries

    def restore_conversation(self, conversation: Conversation) -> Conversation:
        key = conversation.tenant_id, conversation.conversation_id
        try:
            return self._conversations.get_conversation(*key)
        except NotFoundError:
            if key in self._conversations._deleted:
                raise ConflictError("this conversation was deleted here", code="deleted") from None
        self._conversations._kept[key] = conversation
        return conversation

    def restore_messages(self, tenant: str, conversation_id: str, messages: Sequence[Message]) -> int:
        key = tenant, conversation_id
        if key not in self._conversations._kept:
            raise ConflictError("the conversation is gone")
        there = self._conversations._messages[key]
        new = [each for each in messages if each.message_id not in there]
        there |= {each.message_id: each for each in new}
        before = self._conversations._kept[key]
        counters = before.counters.model_copy(
            update={"tokens": before.counters.tokens + sum(map(message_tokens, new))}
        )
        counted = {"message_count": before.message_count + len(new), "counters": counters}
        self._conversations._kept[key] = before.model_copy(update=counted)
        return len(new)

    def restore_summaries(
        self, tenant: str, conversation_id: str, index: SummaryIndex, summaries: Sequence[Summary]
    ) -> bool:
        read = self._summaries.get_index(tenant, conversation_id)
        if read.last_checkpoint.version:
            return False
        self._summaries.save_index(tenant, conversation_id, index, read=read, summaries=summaries)
        return True
