"""Conversations with the hot tier in front.

The nearest tier answers where it is exact, the store in any other case.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from membus.domain.conversation import Conversation, ConversationStatus, Message, Turn
from membus.domain.entities import EntitySnapshot
from membus.domain.hot_records import CachedEntities
from membus.domain.hot_window import CachedWindow
from membus.domain.pages import Page
from membus.domain.provenance import PromptProvenance, TurnMetadata
from membus.errors import NotFoundError
from membus.ports.conversations import NO_METADATA, ConversationStore
from membus.ports.hot_tier import ConversationCache


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
