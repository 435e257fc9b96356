"""Conversations as the data API sees them: made, found, changed, deleted and read.

The chat function writes in them.

A tenant's key sees all its conversations. A request that names a user is answered as that user would be: the
owner and the members read, the owner alone changes and deletes.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from functions.memory.conversations_api import (
    ConversationIn,
    ConversationPage,
    ConversationPatch,
    MessageOrder,
    MessagePage,
)
from functions.memory.cursors import read_cursor, write_cursor
from membus.domain.conversation import Conversation, ConversationStatus, Message, MessageIdGenerator
from membus.domain.erasure import SubjectsBeingErased
from membus.erasing import ensure_conversation_visible
from membus.errors import ConflictError, NotFoundError, UnavailableError
from membus.ports.conversations import ConversationStore
from membus.ports.sealer import CursorSigner
from membus.replies import MessageReader

CHANGE_TRIES = 6
PAUSE_SECONDS = 0.02
"""The first pause of a writer that lost a race; each further one is twice as long: 1.3 seconds in all."""


@dataclass(frozen=True)
class PageRequest:
    """Which page of a list is asked for, and how its cursor is opened and sealed."""

    limit: int
    cursor: str | None
    sealer: CursorSigner


def start_conversation(
    asked: ConversationIn,
    *,
    tenant: str,
    request_key: str,
    now: datetime,
    ids: MessageIdGenerator,
    conversations: ConversationStore,
) -> Conversation:
    """Return a new conversation, or the one that the same request made before."""
    conversation = Conversation(
        conversation_id=ids.next(now),
        tenant_id=tenant,
        user_id=asked.user_id,
        agent_id=asked.agent_id,
        title=asked.title,
        members=tuple(asked.members),
        created_at=now,
    )
    return conversations.create(conversation, request_key=request_key)


def list_conversations(
    tenant: str,
    status: ConversationStatus,
    *,
    user: str | None,
    listing: PageRequest,
    hidden: SubjectsBeingErased,
    conversations: ConversationStore,
) -> ConversationPage:
    """Return the tenant's conversations, newest first, or those that a user owns or is a member of.

    Those in which somebody takes part who is being erased are left out.
    """
    query = f"conversations\n{tenant}\n{status}\n{user or ''}"
    after = read_cursor(listing.cursor, query=query, sealer=listing.sealer)
    page = conversations.page(tenant, status, user=user, limit=listing.limit, after=after)
    ids = [each.conversation_id for each in page.items]
    away = conversations.took_part(tenant, ids, hidden.users) if ids and hidden.users else set()
    items = [
        each for each in page.items if each.conversation_id not in away and not hidden.covers(each.user_id)
    ]
    return ConversationPage(
        items=items, next_cursor=write_cursor(page.after, query=query, sealer=listing.sealer)
    )


def read_conversation(
    tenant: str,
    conversation_id: str,
    *,
    user: str | None,
    hidden: SubjectsBeingErased,
    conversations: ConversationStore,
) -> Conversation:
    """Return the conversation.

    Raises:
        NotFoundError: it is not this tenant's, or deleted, or its owner is being erased.
        UnavailableError: `erasing`, somebody who takes part in it is being erased.
        ForbiddenError: `not_a_member`, the user named neither owns it nor is a member of it.
    """
    found = conversations.conversation(tenant, conversation_id)
    if user is not None:
        found.admit(user)
    return ensure_conversation_visible(found, hidden, conversations)


def change_conversation(
    tenant: str,
    conversation_id: str,
    patch: ConversationPatch,
    *,
    user: str | None,
    hidden: SubjectsBeingErased,
    conversations: ConversationStore,
    pause: Callable[[float], None],
) -> Conversation:
    """Return the conversation as the change leaves it; one that changes nothing makes no version.

    Raises:
        ConflictError: it is at another version than the expected one; carries that version.
    """
    for tried in range(CHANGE_TRIES):
        known = read_conversation(
            tenant, conversation_id, user=None, hidden=hidden, conversations=conversations
        )
        if user is not None:
            known.admit_owner(user)
        if patch.expected_version not in {None, known.version}:
            raise ConflictError("the conversation has changed", version=known.version)
        wanted = known.model_copy(update=patch.changes())
        if wanted == known:
            return known
        after = wanted.model_copy(update={"version": known.version + 1})
        try:
            conversations.replace(known, after)
        except ConflictError:
            pause(PAUSE_SECONDS * 2**tried)
        else:
            return after
    raise UnavailableError("too many others change this conversation right now", retry_after_seconds=1)


def delete_conversation(
    tenant: str, conversation_id: str, *, user: str | None, conversations: ConversationStore
) -> None:
    """Delete the conversation, once however often it is asked.

    Only its owner's word counts where a user is named.
    """
    if user is not None:
        with suppress(NotFoundError):  # deleted before, or never there: the store knows
            conversations.conversation(tenant, conversation_id).admit_owner(user)
    conversations.delete(tenant, conversation_id)


def list_messages(
    tenant: str,
    conversation_id: str,
    order: MessageOrder,
    *,
    user: str | None,
    listing: PageRequest,
    hidden: SubjectsBeingErased,
    conversations: ConversationStore,
) -> MessagePage:
    """Return messages in the order asked for; every page asks again whether the conversation is there."""
    query = f"messages\n{tenant}\n{conversation_id}\n{order}"
    after = read_cursor(listing.cursor, query=query, sealer=listing.sealer)
    read_conversation(tenant, conversation_id, user=user, hidden=hidden, conversations=conversations)
    page = conversations.messages(
        tenant, conversation_id, limit=listing.limit, after=after, newest_first=order == "newest"
    )
    return MessagePage(
        items=list(page.items), next_cursor=write_cursor(page.after, query=query, sealer=listing.sealer)
    )


def read_message(
    tenant: str,
    conversation_id: str,
    message_id: str,
    *,
    user: str | None,
    hidden: SubjectsBeingErased,
    replies: MessageReader,
) -> Message:
    conversation = read_conversation(
        tenant, conversation_id, user=user, hidden=hidden, conversations=replies.conversations
    )
    return replies.message(conversation, message_id)
