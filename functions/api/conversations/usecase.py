"""Conversations as the data API serves them: started, listed, read, changed and deleted.

The chat function writes their messages. A tenant's key reads all of them. A request that names a user is
answered as that user would be: the owner and the members read, the owner alone changes and deletes.
"""

import time
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
from functions.api.pages import PageRequest
from membus.conversations.conversation import Conversation, ConversationStatus, Message, MessageIdGenerator
from membus.conversations.entities import fold_entities
from membus.conversations.ports import ConversationStore, SummaryReader
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.erasure.guard import ensure_conversation_visible
from membus.facts.ports import FactReader

if TYPE_CHECKING:
    from membus.conversations.summary import Slot, SlotKind

CHANGE_RETRY = RetryPolicy(tries=6, pause_seconds=0.02)
"""For a writer that lost a race; its pauses add up to 0.6 seconds at most."""
HANDOFF_TURNS_MAX = 40
MESSAGES_READ = 2 * HANDOFF_TURNS_MAX
"""Twice the messages after which a conversation is due for a summary."""


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
        conversation_id=ids.next_id(now), tenant_id=tenant, created_at=now, **asked.model_dump()
    )
    return conversations.create_conversation(conversation, request_key=request_key)


def delete_conversation(
    tenant: str, conversation_id: str, *, user: str | None, conversations: ConversationStore
) -> None:
    """Delete the conversation; of users that a request names only the owner may."""
    if user is not None:
        with suppress(NotFoundError):  # deleted before, or never there: the store knows
            conversations.get_conversation(tenant, conversation_id).require_owner(user)
    conversations.delete_conversation(tenant, conversation_id)


@dataclass(frozen=True)
class VisibleConversations:
    """The conversations that one request may read, in the name of a tenant or of one `user`."""

    tenant: str
    user: str | None
    hidden: SubjectsBeingErased
    store: ConversationStore

    def list_conversations(self, status: ConversationStatus, page: PageRequest) -> ConversationPage:
        """Return a page of conversations, newest first, without those of a participant being erased."""
        query = page.for_query("conversations", self.tenant, status, self.user or "")
        found = self.store.list_conversations(
            self.tenant, status, user=self.user, limit=query.limit, after=query.after
        )
        ids = [each.conversation_id for each in found.items]
        users = self.hidden.users
        left_out = self.store.filter_by_participant(self.tenant, ids, users) if ids and users else set()
        items = [
            each
            for each in found.items
            if each.conversation_id not in left_out and not self.hidden.contains_user(each.user_id)
        ]
        return ConversationPage(items=items, next_cursor=query.next_cursor(found.after))

    def get_conversation(self, conversation_id: str) -> Conversation:
        """Return the conversation.

        Raises:
            NotFoundError: it is not this tenant's, or deleted, or its owner is being erased.
            UnavailableError: `erasing`, another participant is being erased.
            ForbiddenError: `not_a_member`, the user neither owns it nor is a member of it.
        """
        found = self.store.get_conversation(self.tenant, conversation_id)
        if self.user is not None:
            found.require_member(self.user)
        return ensure_conversation_visible(found, self.hidden, self.store)

    def change_conversation(
        self, conversation_id: str, patch: ConversationPatch, *, sleep: Callable[[float], None] = time.sleep
    ) -> Conversation:
        """Return the conversation after the change; a change of nothing makes no version.

        Raises:
            ConflictError: it is at another version than the expected one; carries that version.
        """

        def prepare(_: int) -> tuple[Conversation, Conversation]:
            known = self.store.get_conversation(self.tenant, conversation_id)
            ensure_conversation_visible(known, self.hidden, self.store)
            if self.user is not None:
                known.require_owner(self.user)
            if patch.expected_version not in {None, known.version}:
                raise ConflictError("the conversation has changed", version=known.version)
            return known, known.model_copy(update=patch.named_changes())

        def commit(change: tuple[Conversation, Conversation]) -> Conversation:
            known, wanted = change
            if wanted == known:
                return known
            after = wanted.model_copy(update={"version": known.version + 1})
            self.store.update_conversation(known, after)
            return after

        busy = "too many others change this conversation right now"
        return commit_with_retry(prepare, commit, policy=CHANGE_RETRY, busy=busy, sleep=sleep)

    def list_messages(self, conversation_id: str, order: MessageOrder, page: PageRequest) -> MessagePage:
        """Return a page of messages; the conversation is read with every page."""
        query = page.for_query("messages", self.tenant, conversation_id, order)
        self.get_conversation(conversation_id)
        found = self.store.list_messages(
            self.tenant,
            conversation_id,
            limit=query.limit,
            after=query.after,
            newest_first=order == "newest",
        )
        return MessagePage(items=list(found.items), next_cursor=query.next_cursor(found.after))


def read_handoff(
    conversations: VisibleConversations,
    conversation_id: str,
    *,
    turns: int,
    now: datetime,
    summaries: SummaryReader,
    facts: FactReader,
) -> Handoff:
    """Return what another agent needs to go on with a conversation, by four reads.

    The facts are those of the user whom the request names, else of the owner: to share a conversation is not
    to share the facts of its owner.
    """
    conversation = conversations.get_conversation(conversation_id)
    index = summaries.get_index(conversations.tenant, conversation_id)
    recent = conversations.store.list_recent_messages(
        conversations.tenant, conversation_id, limit=MESSAGES_READ
    )
    user = conversations.user or conversation.user_id
    return Handoff(
        conversation=conversation,
        summary="\n\n".join(chapter.text for chapter in index.chapters) or None,
        summarised_until=index.last_checkpoint.until,
        slots=list(index.slots),
        open_intents=[slot.text for slot in index.slots if slot.kind == "unresolved_intents"],
        active_entities=list(fold_entities(recent, now).entities),
        facts=list(facts.get_profile(Owner(tenant=conversations.tenant, user=user)).as_of(now).facts),
        messages=_last_messages(recent, turns, index.last_checkpoint.until),
        taken_at=now,
    )


def _last_messages(recent: Sequence[Message], turns: int, until: str | None) -> list[Message]:
    """Return the messages after message `until`, but at least the last turns."""
    uncovered = sum(message.message_id > (until or "") for message in recent)
    return list(recent[-max(2 * turns, uncovered) :])


def read_summary(
    conversations: VisibleConversations,
    conversation_id: str,
    version: int | None,
    *,
    page: PageRequest,
    summaries: SummaryReader,
) -> SummaryPage:
    """Return the summary index, the newest or one of its versions, and a page of all summaries.

    Raises:
        NotFoundError: there is no such version.
    """
    tenant = conversations.get_conversation(conversation_id).tenant_id
    query = page.for_query("summary", tenant, conversation_id)
    index = summaries.get_index(tenant, conversation_id, version)
    if version is not None and index.last_checkpoint.version != version:
        raise NotFoundError("no such version of the summary")
    found = summaries.list_summaries(tenant, conversation_id, limit=query.limit, after=query.after)
    slots: dict[SlotKind, list[Slot]] = {}
    for slot in index.slots:
        slots.setdefault(slot.kind, []).append(slot)
    return SummaryPage(
        **index.last_checkpoint.model_dump(),
        created_at=index.created_at,
        chapters=list(index.chapters),
        slots=slots,
        items=[SummaryOut.from_summary(summary) for summary in found.items],
        next_cursor=query.next_cursor(found.after),
    )
