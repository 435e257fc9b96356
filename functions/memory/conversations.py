"""Conversations as the data API sees them: made, found, listed and read; the chat function writes in them."""

from datetime import datetime

from functions.memory.api import ConversationIn, ConversationPage, MessagePage
from functions.memory.cursors import read_cursor, write_cursor
from membus.domain.conversation import Conversation, MessageIds, Status
from membus.ports.conversations import ConversationStore
from membus.ports.sealer import Sealer


def start_conversation(
    asked: ConversationIn,
    *,
    tenant: str,
    request_key: str,
    now: datetime,
    ids: MessageIds,
    conversations: ConversationStore,
) -> Conversation:
    """Return a new conversation, or the one that the same request made before."""
    conversation = Conversation(
        conversation_id=ids.next(now), tenant_id=tenant, user_id=asked.user_id, agent_id=asked.agent_id,
        title=asked.title, members=tuple(asked.members), created_at=now,
    )  # fmt: skip
    return conversations.create(conversation, request_key=request_key)


def list_conversations(
    tenant: str, status: Status, *, limit: int, cursor: str | None, conversations: ConversationStore, sealer: Sealer
) -> ConversationPage:
    query = f"conversations\n{tenant}\n{status}"
    page = conversations.page(tenant, status, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    return ConversationPage(items=list(page.items), next_cursor=write_cursor(page.after, query=query, sealer=sealer))


def list_messages(
    tenant: str,
    conversation_id: str,
    *,
    limit: int,
    cursor: str | None,
    conversations: ConversationStore,
    sealer: Sealer,
) -> MessagePage:
    """Return messages, oldest first; NotFoundError for a conversation that is not this tenant's."""
    query = f"messages\n{tenant}\n{conversation_id}"
    after = read_cursor(cursor, query=query, sealer=sealer)
    if after is None:
        conversations.conversation(tenant, conversation_id)
    page = conversations.messages(tenant, conversation_id, limit=limit, after=after)
    return MessagePage(items=list(page.items), next_cursor=write_cursor(page.after, query=query, sealer=sealer))
