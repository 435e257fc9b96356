"""What is left of conversations in dictionaries, removed one by one."""

from tests.fakes.conversations import InMemoryConversations


class InMemoryDeletedConversationItems:
    def __init__(self, conversations: InMemoryConversations) -> None:
        self._conversations = conversations

    def remove_batch(self, tenant: str, conversation_id: str) -> bool:
        return self._conversations.forget_one(tenant, conversation_id)
