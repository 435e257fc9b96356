"""Conversations with the hot tier in front.

The nearest tier answers where it is exact, the store in any other case.

Fresh words, pending results and entities with the hot tier in front: nearest wins, where it is exact.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from membus.conversations.reply_jobs import ReplyFailure, ReplyJob, StepProgress
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.core.clock import Clock
from membus.core.errors import NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page


@dataclass(frozen=True)
class CachingConversations:
    """A ConversationStore whose `recent` costs one small read while a conversation is live.

    Whatever writes messages must raise the conversation's `message_count` in the same transaction, or drop
    the window.
    """

    store: ConversationStore
    tier: ConversationCache

    def recent(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        held = self.tier.window(tenant, conversation_id)
        if self.tier.away:
            return self.store.recent(tenant, conversation_id, limit=limit, after=after)
        try:
            # Before the messages, never after: a count that is older than its window can only spoil it, not
            # hide one.
            stored = self.store.conversation(tenant, conversation_id).message_count
        except NotFoundError:
            return self.store.recent(tenant, conversation_id, limit=limit, after=after)
        if held and held.stored == stored and held.reaches(limit, after):
            return held.newest(limit, after)
        messages = self.store.recent(tenant, conversation_id, limit=limit, after=after)
        window = CachedWindow(
            tenant_id=tenant,
            conversation_id=conversation_id,
            stored=stored,
            limit=limit,
            after=after,
            messages=tuple(messages),
        )
        if window.settled:
            self.tier.keep(window)
        return messages

    def add(
        self,
        tenant: str,
        conversation_id: str,
        turn: Turn,
        *,
        request_key: str,
        title: str | None,
        trace: TurnMetadata = NO_METADATA,
    ) -> None:
        self.store.add(tenant, conversation_id, turn, request_key=request_key, title=title, trace=trace)
        self.remember(tenant, conversation_id, turn)

    def remember(self, tenant: str, conversation_id: str, turn: Turn) -> None:
        """Bring the window up to date with a turn that is stored, and fold it for the next one."""
        held = self.tier.window(tenant, conversation_id)
        joined = held and held.joined_by(turn)
        if joined:
            self.tier.keep(joined)
            folded = EntitySnapshot.over(joined.messages)
            self.tier.keep(CachedEntities(tenant_id=tenant, conversation_id=conversation_id, folded=folded))
        elif held:
            self.tier.drop(tenant, conversation_id)

    def delete(self, tenant: str, conversation_id: str) -> None:
        self.store.delete(tenant, conversation_id)
        self.tier.drop(tenant, conversation_id)

    def create(self, conversation: Conversation, *, request_key: str) -> Conversation:
        return self.store.create(conversation, request_key=request_key)

    def conversation(self, tenant: str, conversation_id: str) -> Conversation:
        return self.store.conversation(tenant, conversation_id)

    def page(
        self,
        tenant: str,
        status: ConversationStatus,
        *,
        user: str | None,
        limit: int,
        after: dict[str, str] | None,
    ) -> Page[Conversation]:
        return self.store.page(tenant, status, user=user, limit=limit, after=after)

    def took_part(self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]) -> set[str]:
        return self.store.took_part(tenant, conversation_ids, users)

    def replace(self, before: Conversation, after: Conversation) -> None:
        self.store.replace(before, after)

    def messages(
        self,
        tenant: str,
        conversation_id: str,
        *,
        limit: int,
        after: dict[str, str] | None,
        newest_first: bool = False,
    ) -> Page[Message]:
        return self.store.messages(
            tenant, conversation_id, limit=limit, after=after, newest_first=newest_first
        )

    def message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        return self.store.message(tenant, conversation_id, message_id)

    def turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        return self.store.turn(tenant, conversation_id, request_key)

    def provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        return self.store.provenance(tenant, conversation_id, message_id)


class NoEntityCache:
    """Entities where there is no tier: nobody has folded anything."""

    def entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        return None


@dataclass(frozen=True)
class CachingUnprocessedMessages:
    """FreshWords of a user who has just spoken cost one small read in each further turn, until they have been learned.

    Whoever has nothing fresh, which is the rule, costs what it costs without a tier.
    """

    store: UnprocessedMessages
    tier: ConversationCache
    clock: Clock

    def newest(self, owner: Owner) -> list[UnprocessedMessage]:
        held = self.tier.fresh(owner)
        if held and held.stamp == self.store.stamp(owner):
            return held.unexpired(self.clock())
        words = self.store.newest(owner)
        if not words or self.tier.away:
            return words
        # Before the words, never after: a stamp that is older than its words can only spoil them, not hide
        # one.
        stamp = self.store.stamp(owner)
        if stamp is None:
            return words
        words = self.store.newest(owner)
        self.tier.keep(CachedUnprocessed(owner=owner, stamp=stamp, words=tuple(words)))
        return words

    def stamp(self, owner: Owner) -> str | None:
        return self.store.stamp(owner)

    def keep(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        self.store.keep(said)

    def settle(self, owner: Owner, places: Iterable[str]) -> None:
        self.store.settle(owner, places)


@dataclass(frozen=True)
class CachingReplyJobs:
    """PendingReplies whose progress is at hand for who takes a turn up within half an hour."""

    store: ReplyJobStore
    tier: ConversationCache

    def progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> StepProgress | None:
        held = self.tier.progress(tenant, conversation_id, request_key)
        if held and held.digest == digest:
            return held
        found = self.store.progress(tenant, conversation_id, digest, request_key=request_key)
        if found:
            self._keep(tenant, conversation_id, request_key, found)
        return found

    def advance(self, tenant: str, conversation_id: str, progress: StepProgress, *, request_key: str) -> None:
        self.store.advance(tenant, conversation_id, progress, request_key=request_key)
        self._keep(tenant, conversation_id, request_key, progress)

    def _keep(self, tenant: str, conversation_id: str, request_key: str, progress: StepProgress) -> None:
        held = {"tenant_id": tenant, "conversation_id": conversation_id, "request_key": request_key}
        self.tier.keep(CachedProgress.model_validate(held | {"progress": progress}))

    def begin(self, tenant: str, conversation_id: str, reply: ReplyJob, *, request_key: str) -> ReplyJob:
        return self.store.begin(tenant, conversation_id, reply, request_key=request_key)

    def take(
        self, tenant: str, conversation_id: str, *, request_key: str, worker: str, until: datetime
    ) -> str | None:
        return self.store.take(tenant, conversation_id, request_key=request_key, worker=worker, until=until)

    def put_down(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        self.store.put_down(tenant, conversation_id, request_key=request_key)

    def end(
        self,
        tenant: str,
        conversation_id: str,
        *,
        request_key: str,
        became: str | None = None,
        failed: ReplyFailure | None = None,
    ) -> None:
        self.store.end(tenant, conversation_id, request_key=request_key, became=became, failed=failed)

    def of(self, tenant: str, conversation_id: str, *, request_key: str) -> ReplyJob | None:
        return self.store.of(tenant, conversation_id, request_key=request_key)

    def find(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        return self.store.find(tenant, conversation_id, message_id)
