"""Conversations as the data API sees them: made, found, changed, deleted and read.

The chat function writes in them.

A tenant's key sees all its conversations. A request that names a user is answered as that user would be: the
owner and the members read, the owner alone changes and deletes.

All that somebody needs to go on with a conversation, a colleague or another agent.

Read, never asked of a model.

What stands for the part of a conversation that no window shows.

Its outline, slots, and each summary's check.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from functions.api.conversations.schemas import (
    ConversationIn,
    ConversationPage,
    ConversationPatch,
    Handoff,
    MessageOrder,
    MessagePage,
    SummaryOut,
    SummaryPage,
)
from functions.api.cursors import read_cursor, write_cursor
from membus.conversations.conversation import Conversation, ConversationStatus, Message, MessageIdGenerator
from membus.conversations.entities import fold_entities
from membus.conversations.message_reader import MessageReader
from membus.conversations.ports import ConversationStore, SummaryReader
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import CursorSigner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.erasure.guard import ensure_conversation_visible
from membus.facts.ports import FactReader

if TYPE_CHECKING:
    from membus.conversations.summary import Slot, SlotKind

CHANGE_RETRY = RetryPolicy(tries=6, pause_seconds=0.02)
"""For a writer that lost a race; its pauses add up to 0.6 seconds at most."""


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
        conversation_id=ids.next_id(now),
        tenant_id=tenant,
        user_id=asked.user_id,
        agent_id=asked.agent_id,
        title=asked.title,
        members=tuple(asked.members),
        created_at=now,
    )
    return conversations.create_conversation(conversation, request_key=request_key)


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
    page = conversations.list_conversations(tenant, status, user=user, limit=listing.limit, after=after)
    ids = [each.conversation_id for each in page.items]
    away = conversations.filter_by_participant(tenant, ids, hidden.users) if ids and hidden.users else set()
    items = [
        each
        for each in page.items
        if each.conversation_id not in away and not hidden.contains_user(each.user_id)
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
    found = conversations.get_conversation(tenant, conversation_id)
    if user is not None:
        found.require_member(user)
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

    def prepare(_: int) -> tuple[Conversation, Conversation]:
        known = read_conversation(
            tenant, conversation_id, user=None, hidden=hidden, conversations=conversations
        )
        if user is not None:
            known.require_owner(user)
        if patch.expected_version not in {None, known.version}:
            raise ConflictError("the conversation has changed", version=known.version)
        return known, known.model_copy(update=patch.named_changes())

    def commit(change: tuple[Conversation, Conversation]) -> Conversation:
        known, wanted = change
        if wanted == known:
            return known
        after = wanted.model_copy(update={"version": known.version + 1})
        conversations.update_conversation(known, after)
        return after

    busy = "too many others change this conversation right now"
    return commit_with_retry(prepare, commit, policy=CHANGE_RETRY, busy=busy, sleep=pause)


def delete_conversation(
    tenant: str, conversation_id: str, *, user: str | None, conversations: ConversationStore
) -> None:
    """Delete the conversation, once however often it is asked.

    Only its owner's word counts where a user is named.
    """
    if user is not None:
        with suppress(NotFoundError):  # deleted before, or never there: the store knows
            conversations.get_conversation(tenant, conversation_id).require_owner(user)
    conversations.delete_conversation(tenant, conversation_id)


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
    page = conversations.list_messages(
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
    return replies.get_message(conversation, message_id)


HANDOFF_TURNS_MAX = 40
MESSAGES_READ = 2 * HANDOFF_TURNS_MAX
"""Twice what is said before a conversation is due for a summary."""


def read_handoff(
    tenant: str,
    conversation_id: str,
    *,
    user: str | None,
    turns: int,
    now: datetime,
    hidden: SubjectsBeingErased,
    conversations: ConversationStore,
    outlines: SummaryReader,
    facts: FactReader,
) -> Handoff:
    """Return the conversation as it stands: its last turns, and those before that no summary covers.

    Four reads.

    The facts are those of the user who asks, or of the owner where nobody is named: to share a conversation
    is not to share what is known about its owner.
    """
    conversation = read_conversation(
        tenant, conversation_id, user=user, hidden=hidden, conversations=conversations
    )
    outline = outlines.get_index(tenant, conversation_id)
    recent = conversations.list_recent_messages(tenant, conversation_id, limit=MESSAGES_READ)
    profile = facts.get_profile(Owner(tenant=tenant, user=user or conversation.user_id))
    return Handoff(
        conversation=conversation,
        summary="\n\n".join(chapter.text for chapter in outline.chapters) or None,
        summarised_until=outline.last_checkpoint.until,
        slots=list(outline.slots),
        open_intents=[slot.text for slot in outline.slots if slot.kind == "unresolved_intents"],
        active_entities=list(fold_entities(recent, now).entities),
        facts=list(profile.facts),
        messages=_last_messages(recent, turns, outline.last_checkpoint.until),
        taken_at=now,
    )


def _last_messages(recent: Sequence[Message], turns: int, until: str | None) -> list[Message]:
    """Return the messages behind message `until`, and the last turns in any case.

    Between the two is no gap.
    """
    uncovered = sum(message.message_id > (until or "") for message in recent)
    return list(recent[-max(2 * turns, uncovered) :])


def read_summary(
    tenant: str, conversation_id: str, version: int | None, *, listing: PageRequest, summaries: SummaryReader
) -> SummaryPage:
    """Return the outline, the newest or one of its versions, and a page of summaries.

    NotFoundError for no version.
    """
    query = f"summary\n{tenant}\n{conversation_id}"
    after = read_cursor(listing.cursor, query=query, sealer=listing.sealer)
    outline = summaries.get_index(tenant, conversation_id, version)
    if version is not None and outline.last_checkpoint.version != version:
        raise NotFoundError("no such version of the summary")
    page = summaries.list_summaries(tenant, conversation_id, limit=listing.limit, after=after)
    slots: dict[SlotKind, list[Slot]] = {}
    for slot in outline.slots:
        slots.setdefault(slot.kind, []).append(slot)
    return SummaryPage(
        **outline.last_checkpoint.model_dump(),
        created_at=outline.created_at,
        chapters=list(outline.chapters),
        slots=slots,
        items=[SummaryOut.from_summary(summary) for summary in page.items],
        next_cursor=write_cursor(page.after, query=query, sealer=listing.sealer),
    )
