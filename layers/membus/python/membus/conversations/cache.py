"""Stores of live conversations with the cache in front: it answers where it is exact, else the store does."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from membus.conversations.cache_records import CachedEntities, CachedProgress, CachedUnprocessed, CachedWindow
from membus.conversations.conversation import Conversation, ConversationStatus, Message, Turn
from membus.conversations.entities import EntitySnapshot
from membus.conversations.ports import (
    NO_METADATA,
    ConversationCache,
    ConversationStore,
    ReplyJobStore,
    UnprocessedMessages,
)
from membus.conversations.provenance import PromptProvenance, TurnMetadata
from membus.conversations.reply_jobs import JobClaim, Lease, ReplyJob, RequestRef, StepProgress
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.core.clock import Clock
from membus.core.errors import NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page


@dataclass(frozen=True)
class CachingConversations:
    """A conversation store whose recent messages cost one small read while a conversation is live.

    Whatever writes messages must raise the conversation's `message_count` in the same transaction, or evict
    the window.
    """

    store: ConversationStore
    tier: ConversationCache

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        held = self.tier.get_window(tenant, conversation_id)
        stored: int | None = None
        if not self.tier.is_unavailable:
            with suppress(NotFoundError):
                # Before the messages, never after: an older count can spoil a window, not hide a message.
                stored = self.store.get_conversation(tenant, conversation_id).message_count
        if held and held.stored == stored and held.can_answer(limit, after):
            return held.newest_messages(limit, after)
        messages = self.store.list_recent_messages(tenant, conversation_id, limit=limit, after=after)
        if stored is None:
            return messages
        window = CachedWindow(
            tenant_id=tenant,
            conversation_id=conversation_id,
            stored=stored,
            limit=limit,
            after=after,
            messages=tuple(messages),
        )
        if window.is_final:
            self.tier.put(window)
        return messages

    def add_turn(
        self,
        tenant: str,
        conversation_id: str,
        turn: Turn,
        *,
        request_key: str,
        title: str | None,
        metadata: TurnMetadata = NO_METADATA,
    ) -> None:
        self.store.add_turn(
            tenant, conversation_id, turn, request_key=request_key, title=title, metadata=metadata
        )
        self.cache_turn(tenant, conversation_id, turn)

    def cache_turn(self, tenant: str, conversation_id: str, turn: Turn) -> None:
        """Add a stored turn to the window, and fold the entities for the next one."""
        held = self.tier.get_window(tenant, conversation_id)
        joined = held and held.with_turn(turn)
        if joined:
            self.tier.put(joined)
            folded = EntitySnapshot.from_messages(joined.messages)
            self.tier.put(CachedEntities(tenant_id=tenant, conversation_id=conversation_id, folded=folded))
        elif held:
            self.tier.evict_conversation(tenant, conversation_id)

    def delete_conversation(self, tenant: str, conversation_id: str) -> None:
        self.store.delete_conversation(tenant, conversation_id)
        self.tier.evict_conversation(tenant, conversation_id)

    def create_conversation(self, conversation: Conversation, *, request_key: str) -> Conversation:
        return self.store.create_conversation(conversation, request_key=request_key)

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        return self.store.get_conversation(tenant, conversation_id)

    def list_conversations(
        self,
        tenant: str,
        status: ConversationStatus,
        *,
        user: str | None,
        limit: int,
        after: dict[str, str] | None,
    ) -> Page[Conversation]:
        return self.store.list_conversations(tenant, status, user=user, limit=limit, after=after)

    def filter_by_participant(
        self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]
    ) -> set[str]:
        return self.store.filter_by_participant(tenant, conversation_ids, users)

    def update_conversation(self, before: Conversation, after: Conversation) -> None:
        self.store.update_conversation(before, after)

    def list_messages(
        self,
        tenant: str,
        conversation_id: str,
        *,
        limit: int,
        after: dict[str, str] | None,
        newest_first: bool = False,
    ) -> Page[Message]:
        return self.store.list_messages(
            tenant, conversation_id, limit=limit, after=after, newest_first=newest_first
        )

    def get_message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        return self.store.get_message(tenant, conversation_id, message_id)

    def find_turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        return self.store.find_turn(tenant, conversation_id, request_key)

    def get_provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        return self.store.get_provenance(tenant, conversation_id, message_id)


class NoEntityCache:
    """Entities without a cache: nothing is folded before it is asked for."""

    def get_entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        return None


@dataclass(frozen=True)
class CachingUnprocessedMessages:
    """Unprocessed messages cost one small read in each further turn until extraction has read them.

    A user without any, which is the rule, costs what they cost without a cache.
    """

    store: UnprocessedMessages
    tier: ConversationCache
    clock: Clock

    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        held = self.tier.get_unprocessed(owner)
        if held and held.stamp == self.store.get_version_token(owner):
            return held.list_unexpired(self.clock())
        messages = self.store.list_newest(owner)
        if not messages or self.tier.is_unavailable:
            return messages
        # Before the messages, never after: an older token can only spoil what is cached, not hide a message.
        stamp = self.store.get_version_token(owner)
        if stamp is None:
            return messages
        messages = self.store.list_newest(owner)
        self.tier.put(CachedUnprocessed(owner=owner, stamp=stamp, words=tuple(messages)))
        return messages

    def get_version_token(self, owner: Owner) -> str | None:
        return self.store.get_version_token(owner)

    def add_messages(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        self.store.add_messages(said)

    def mark_processed(self, owner: Owner, sort_keys: Iterable[str]) -> None:
        self.store.mark_processed(owner, sort_keys)


@dataclass(frozen=True)
class CachingReplyJobs:
    """Reply jobs whose progress is cached for a worker that takes the turn up within half an hour."""

    store: ReplyJobStore
    tier: ConversationCache

    def claim_job(self, request: RequestRef, job: ReplyJob, lease: Lease | None = None) -> JobClaim:
        return self.store.claim_job(request, job, lease)

    def update_job(self, request: RequestRef, job: ReplyJob, *, worker: str = "") -> None:
        self.store.update_job(request, job, worker=worker)

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        return self.store.get_by_message(tenant, conversation_id, message_id)

    def get_progress(self, request: RequestRef, digest: str) -> StepProgress | None:
        cached = self.tier.get_progress(request.tenant, request.conversation_id, request.key)
        if cached and cached.digest == digest:
            return cached
        found = self.store.get_progress(request, digest)
        if found:
            self._cache_progress(request, found)
        return found

    def save_progress(self, request: RequestRef, progress: StepProgress) -> None:
        self.store.save_progress(request, progress)
        self._cache_progress(request, progress)

    def _cache_progress(self, request: RequestRef, progress: StepProgress) -> None:
        self.tier.put(
            CachedProgress(
                tenant_id=request.tenant,
                conversation_id=request.conversation_id,
                request_key=request.key,
                progress=progress,
            )
        )
