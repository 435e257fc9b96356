"""A turn of chat: read side by side, assemble, ask the model once, store both messages, tell the bus."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.chat.api import MessageIn
from membus.domain.context import BUDGETS, Context, assemble
from membus.domain.conversation import Conversation, Message, MessageIds, Turn, title_of
from membus.domain.event import Event
from membus.domain.fresh import Fresh, fresh_block
from membus.domain.identity import Owner
from membus.domain.profile import Profile
from membus.domain.prompt import Footprint
from membus.domain.tokens import estimate_tokens
from membus.domain.visible import is_blank
from membus.errors import ConflictError, InvalidError, UnavailableError
from membus.ports.clock import Clock
from membus.ports.conversations import ConversationStore
from membus.ports.events import EventBus
from membus.ports.facts import FactReader
from membus.ports.fresh import FreshWords
from membus.ports.model import LanguageModel

MAX_TOKENS = 1_000
WINDOW_MESSAGES = 80
"""Read back at most this many; 8,000 tokens of window hold fewer unless messages average below a hundred."""
CONTENT_BYTES_MAX = 64_000
"""Far above what 500 tokens come to in any script; refused before anything is counted."""
REFUSED = "I can't help with that."


@dataclass(frozen=True)
class Known:
    """What there is to answer from."""

    conversation_id: str
    profile: Profile
    recent: list[Message]
    fresh: list[Fresh]

    def context(self, message: str) -> Context:
        block = fresh_block(self.fresh, elsewhere_than=self.conversation_id, budget=BUDGETS["fresh"])
        return assemble(self.profile, self.recent, message, fresh=block)


@dataclass(frozen=True)
class Chat:
    """`model` is a function of the tenant who pays, so that showing a context never loads a model client."""

    conversations: ConversationStore
    facts: FactReader
    fresh: FreshWords
    bus: EventBus
    model: Callable[[str], LanguageModel]
    clock: Clock
    seconds_left: Callable[[], float]
    ids: MessageIds
    pool: ThreadPoolExecutor

    def answer(self, tenant: str, conversation_id: str, asked: MessageIn, *, request_key: str) -> Turn:
        """Return the turn that answers a message; the same request key gives the same turn, asked once.

        Raises:
            InvalidError: blank or too long, or `idempotency_mismatch`: the key was used for another message.
            ConflictError: `in_progress`, the same request was answered elsewhere at the same moment.
            UnavailableError: the model or the bus is down; the same request may be sent again.
        """
        if is_blank(asked.content):
            raise InvalidError("content: a message needs visible text")
        if len(asked.content.encode()) > CONTENT_BYTES_MAX:
            raise InvalidError(f"a message takes at most {CONTENT_BYTES_MAX} bytes", code="payload_too_large")
        request = hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
        earlier = self.pool.submit(self.conversations.turn, tenant, conversation_id, request_key)
        conversation, known = self._read(tenant, conversation_id, asked.author)
        conversation.admit(asked.author)
        turn = earlier.result()
        if turn is None:
            turn = self._ask(known, asked, conversation, request)
            self._store(conversation, turn, request_key)
        elif turn.request != request:
            raise InvalidError("this key was used for another message", code="idempotency_mismatch")
        self._announce(conversation, turn)
        return turn

    def context(self, tenant: str, conversation_id: str, message: str, *, author: str | None) -> Context:
        """Return exactly what `message` would send, without sending it."""
        who = author or self.conversations.conversation(tenant, conversation_id).user_id
        conversation, known = self._read(tenant, conversation_id, who)
        conversation.admit(who)
        return known.context(message)

    def _read(self, tenant: str, conversation_id: str, author: str) -> tuple[Conversation, Known]:
        """Read all that a prompt is made of side by side: one request each, however long the history."""
        owner = Owner(tenant=tenant, user=author)
        found = self.pool.submit(self.conversations.conversation, tenant, conversation_id)
        recent = self.pool.submit(self.conversations.recent, tenant, conversation_id, limit=WINDOW_MESSAGES)
        profile = self.pool.submit(self.facts.profile, owner)
        fresh = self.pool.submit(self.fresh.newest, owner)
        return found.result(), Known(conversation_id, profile.result(), recent.result(), fresh.result())

    def _ask(self, known: Known, asked: MessageIn, conversation: Conversation, request: str) -> Turn:
        context = known.context(asked.content)
        asked_at, remember = self.clock(), asked.remember
        user = self._message("user", asked.content, asked.author, asked_at, remember=remember)
        reply = self.model(conversation.tenant_id).reply(
            context.prompt, max_tokens=MAX_TOKENS, timeout_seconds=self.seconds_left()
        )
        answered_at = max(self.clock(), asked_at + timedelta(milliseconds=1))
        text = REFUSED if is_blank(reply.text) else reply.text
        return Turn(
            user=user,
            assistant=self._message("assistant", text, conversation.agent_id, answered_at, remember=remember),
            request=request,
            stop_reason=reply.stop_reason,
            usage=reply.usage,
            footprint=Footprint(sections=context.sections, budget=context.budget, total_tokens=context.total_tokens),
        )

    def _message(self, role: str, content: str, author: str, moment: datetime, *, remember: bool) -> Message:
        return Message.model_validate(
            {
                "message_id": self.ids.next(moment), "role": role, "content": content, "author": author,
                "tokens": estimate_tokens(content), "created_at": moment, "remember": remember,
            }
        )  # fmt: skip

    def _store(self, conversation: Conversation, turn: Turn, request_key: str) -> None:
        try:
            self.conversations.add(
                conversation.tenant_id, conversation.conversation_id, turn,
                request_key=request_key, title=title_of(turn.user.content),
            )  # fmt: skip
        except ConflictError as error:
            raise ConflictError("the same request is being answered right now", code="in_progress") from error

    def _announce(self, conversation: Conversation, turn: Turn) -> None:
        """Tell the bus, again on every repeat of the request: the event's id makes the copies one.

        Of what is not to be remembered the bus, whose archive keeps everything, hears nothing at all.
        """
        if not turn.user.remember:
            return
        refused = self.bus.publish([_recorded(conversation, turn)])
        if refused:
            raise UnavailableError("the turn is stored but not yet learned from; send the same request again")


def _recorded(conversation: Conversation, turn: Turn) -> Event:
    return Event(
        event_id=turn.event_id, tenant_id=conversation.tenant_id, user_id=turn.user.author,
        agent_id=conversation.agent_id, session_id=conversation.conversation_id, type="turn.recorded",
        occurred_at=turn.user.created_at, origin="chat",
        payload={
            "conversation_id": conversation.conversation_id, "message_id": turn.user.message_id,
            "user": {"text": turn.user.content}, "assistant": {"text": turn.assistant.content},
        },
    )  # fmt: skip
