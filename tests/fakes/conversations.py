"""Conversations in dictionaries; a turn's request is remembered for a day."""

from collections import defaultdict
from typing import TYPE_CHECKING

from membus.adapters.conversation_items import REQUEST_LIFETIME
from membus.domain.conversation import Conversation, Message, Status, Turn
from membus.domain.fresh import Fresh, fresh_of
from membus.domain.identity import Owner
from membus.domain.pages import Page
from membus.errors import ConflictError, NotFoundError
from membus.ports.clock import Clock
from tests.fakes.listing import page_of

if TYPE_CHECKING:
    from datetime import datetime

Key = tuple[str, str]


class InMemoryConversations:
    def __init__(self, clock: Clock, *conversations: Conversation) -> None:
        self.clock = self._clock = clock
        self.fresh: dict[Owner, dict[str, Fresh]] = defaultdict(dict)
        self._kept: dict[Key, Conversation] = {}
        self._deleted: set[Key] = set()
        self._requests: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._messages: dict[Key, dict[str, Message]] = defaultdict(dict)
        self._turns: dict[tuple[str, str, str], tuple[datetime, Turn]] = {}
        for conversation in conversations:
            self.create(conversation, request_key=conversation.conversation_id)

    def create(self, conversation: Conversation, *, request_key: str) -> Conversation:
        key, request = (conversation.tenant_id, conversation.conversation_id), (conversation.tenant_id, request_key)
        made, until = self._requests.get(request, ("", self._clock()))
        if until > self._clock():
            return self.conversation(conversation.tenant_id, made)
        if key in self._kept or key in self._deleted:
            raise ConflictError("this conversation exists")
        self._kept[key] = conversation
        self._requests[request] = conversation.conversation_id, self._clock() + REQUEST_LIFETIME
        return conversation

    def conversation(self, tenant: str, conversation_id: str) -> Conversation:
        if (tenant, conversation_id) not in self._kept:
            raise NotFoundError("no such conversation")
        return self._kept[tenant, conversation_id]

    def page(
        self, tenant: str, status: Status, *, user: str | None, limit: int, after: dict[str, str] | None
    ) -> Page[Conversation]:
        mine = {
            conversation_id: conversation
            for (owner, conversation_id), conversation in self._kept.items()
            if owner == tenant and conversation.status == status and (user is None or user in conversation.people)
        }
        return page_of(mine, limit=limit, after=after, newest_first=True)

    def replace(self, before: Conversation, after: Conversation) -> None:
        stored = self.conversation(before.tenant_id, before.conversation_id)
        if stored.version != before.version:
            raise ConflictError("the conversation has changed", version=stored.version)
        counted = {"message_count": stored.message_count, "title": after.title or stored.title}
        self._kept[before.tenant_id, before.conversation_id] = after.model_copy(update=counted)

    def delete(self, tenant: str, conversation_id: str) -> None:
        key = tenant, conversation_id
        if key not in self._kept and key not in self._deleted:
            raise NotFoundError("no such conversation")
        self._kept.pop(key, None)
        self._deleted.add(key)

    def messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None, newest_first: bool = False
    ) -> Page[Message]:
        return page_of(self._messages[tenant, conversation_id], limit=limit, after=after, newest_first=newest_first)

    def message(self, tenant: str, conversation_id: str, message_id: str) -> Message:
        found = self._messages[tenant, conversation_id].get(message_id)
        if found is None:
            raise NotFoundError("no such message")
        return found

    def recent(self, tenant: str, conversation_id: str, *, limit: int) -> list[Message]:
        return list(reversed(self.messages(tenant, conversation_id, limit=limit, after=None, newest_first=True).items))

    def turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        expires_at, turn = self._turns.get((tenant, conversation_id, request_key), (self._clock(), None))
        return turn if expires_at > self._clock() else None

    def add(self, tenant: str, conversation_id: str, turn: Turn, *, request_key: str, title: str | None) -> None:
        before = self.conversation(tenant, conversation_id)
        if self.turn(tenant, conversation_id, request_key):
            raise ConflictError("this request stored a turn")
        key = tenant, conversation_id
        self._turns[(*key, request_key)] = self._clock() + REQUEST_LIFETIME, turn
        self._messages[key] |= {said.message_id: said for said in (turn.user, turn.assistant)}
        if turn.user.remember:
            self.fresh[Owner(tenant=tenant, user=turn.user.author)][turn.event_id] = fresh_of(turn, conversation_id)
        after = {"message_count": before.message_count + 2, "title": before.title or title}
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
