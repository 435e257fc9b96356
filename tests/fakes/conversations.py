"""Conversations in dictionaries; a turn's request is remembered for a day."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from membus.conversations.conversation import (
    Conversation,
    ConversationCounters,
    ConversationStatus,
    Message,
    Turn,
)
from membus.conversations.dynamodb_items import REQUEST_LIFETIME
from membus.conversations.ports import NO_METADATA
from membus.conversations.provenance import PromptProvenance, TurnMetadata
from membus.conversations.summary import SummaryCheckpoint
from membus.conversations.unprocessed_messages import UnprocessedMessage, unprocessed_from_turn
from membus.conversations.window import message_tokens
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page
from tests.fakes.listing import page_of

if TYPE_CHECKING:
    from datetime import datetime

Key = tuple[str, str]


class InMemoryConversations:
    def __init__(self, clock: Clock, *conversations: Conversation) -> None:
        self.clock = self._clock = clock
        self.fresh: dict[Owner, dict[str, UnprocessedMessage]] = defaultdict(dict)
        self.stamps: dict[Owner, str] = {}
        self._kept: dict[Key, Conversation] = {}
        self._ever: dict[Key, set[str]] = defaultdict(set)
        self._deleted: set[Key] = set()
        self._requests: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._messages: dict[Key, dict[str, Message]] = defaultdict(dict)
        self._provenance: dict[tuple[str, str, str], PromptProvenance] = {}
        self._turns: dict[tuple[str, str, str], tuple[datetime, Turn]] = {}
        for conversation in conversations:
            self.create_conversation(conversation, request_key=conversation.conversation_id)

    def create_conversation(self, conversation: Conversation, *, request_key: str) -> Conversation:
        key, request = (
            (conversation.tenant_id, conversation.conversation_id),
            (conversation.tenant_id, request_key),
        )
        made, until = self._requests.get(request, ("", self._clock()))
        if until > self._clock():
            return self.get_conversation(conversation.tenant_id, made)
        if key in self._kept or key in self._deleted:
            raise ConflictError("this conversation exists")
        self._kept[key] = conversation
        self._ever[key] |= conversation.people
        self._requests[request] = conversation.conversation_id, self._clock() + REQUEST_LIFETIME
        return conversation

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        if (tenant, conversation_id) not in self._kept:
            raise NotFoundError("no such conversation")
        return self._kept[tenant, conversation_id]

    def list_conversations(
        self,
        tenant: str,
        status: ConversationStatus,
        *,
        user: str | None,
        limit: int,
        after: dict[str, str] | None,
    ) -> Page[Conversation]:
        mine = {
            conversation_id: conversation
            for (owner, conversation_id), conversation in self._kept.items()
            if owner == tenant
            and conversation.status == status
            and (user is None or user in conversation.people)
        }
        return page_of(mine, limit=limit, after=after, newest_first=True)

    def filter_by_participant(
        self, tenant: str, conversation_ids: Sequence[str], users: Collection[str]
    ) -> set[str]:
        return {each for each in conversation_ids if self._ever[tenant, each] & set(users)}

    def update_conversation(self, before: Conversation, after: Conversation) -> None:
        stored = self.get_conversation(before.tenant_id, before.conversation_id)
        if stored.version != before.version:
            raise ConflictError("the conversation has changed", version=stored.version)
        title = after.title or stored.title
        counted = {"message_count": stored.message_count, "title": title, "counters": stored.counters}
        self._kept[before.tenant_id, before.conversation_id] = after.model_copy(update=counted)
        self._ever[before.tenant_id, before.conversation_id] |= after.people

    def delete_conversation(self, tenant: str, conversation_id: str) -> None:
        key = tenant, conversation_id
        if key not in self._kept and key not in self._deleted:
            raise NotFoundError("no such conversation")
        self._kept.pop(key, None)
        self._deleted.add(key)

    def list_messages(
        self,
        tenant: str,
        conversation_id: str,
        *,
        limit: int,
        after: dict[str, str] | None,
        newest_first: bool = False,
    ) -> Page[Message]:
        return page_of(
            self._messages[tenant, conversation_id], limit=limit, after=after, newest_first=newest_first
        )

    def get_message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        found = self._messages[tenant, conversation_id].get(message_id)
        if found is None:
            raise NotFoundError("no such message")
        return found

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        behind = {
            sk: said for sk, said in self._messages[tenant, conversation_id].items() if sk > (after or "")
        }
        return list(reversed(page_of(behind, limit=limit, after=None, newest_first=True).items))

    def get_provenance(self, tenant: str, conversation_id: str, message_id: str) -> PromptProvenance:
        made = self._provenance.get((tenant, conversation_id, message_id))
        if made is None:
            raise NotFoundError("nothing is known of this message's prompt")
        return made

    def cover(self, tenant: str, conversation_id: str, borders: tuple[SummaryCheckpoint, ...]) -> None:
        """Note how far summaries reach, as their store does beside the messages."""
        known = self.get_conversation(tenant, conversation_id)
        counters = known.counters.model_copy(update={"borders": borders})
        self._kept[tenant, conversation_id] = known.model_copy(update={"counters": counters})

    def find_turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        expires_at, turn = self._turns.get((tenant, conversation_id, request_key), (self._clock(), None))
        return turn if expires_at > self._clock() else None

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
        before = self.get_conversation(tenant, conversation_id)
        if self.find_turn(tenant, conversation_id, request_key):
            raise ConflictError("this request stored a turn")
        if (before.counters.summary_checkpoint.until or "") >= turn.user.message_id:
            raise ConflictError("a summary has gone past this turn", code="covered")
        key = tenant, conversation_id
        self._turns[(*key, request_key)] = self._clock() + REQUEST_LIFETIME, turn
        self._messages[key] |= {said.message_id: said for said in (turn.user, turn.assistant)}
        if turn.user.remember:
            owner = Owner(tenant=tenant, user=turn.user.author)
            self.fresh[owner][turn.event_id], self.stamps[owner] = (
                unprocessed_from_turn(turn, conversation_id, metadata.agent_id),
                uuid4().hex,
            )
        if metadata.provenance:
            self._provenance[(*key, metadata.provenance.message_id)] = metadata.provenance
        moved = metadata.model_dump(include={"cut", "rate"}, exclude_none=True)
        tokens = before.counters.tokens + message_tokens(turn.user) + message_tokens(turn.assistant)
        counters = ConversationCounters.model_validate(
            before.counters.model_dump() | moved | {"tokens": tokens}
        )
        after = {
            "message_count": before.message_count + 2,
            "title": before.title or title,
            "counters": counters,
        }
        self._kept[key] = before.model_copy(update=after)

    def forget_one(self, tenant: str, conversation_id: str) -> bool:
        """Forget a message or a request of a deleted conversation; return whether more is left."""
        key = tenant, conversation_id
        if key not in self._deleted:
            return False
        said, asked = self._messages[key], [turn for turn in self._turns if turn[:2] == key]
        if said:
            said.popitem()
        elif asked:
            self._turns.pop(asked.pop())
        return bool(said or asked)
