"""Promised replies in a dictionary, beside the conversations they belong to."""

from membus.domain.pending import PendingReply
from membus.errors import NotFoundError
from membus.ports.clock import Clock
from tests.fakes.conversations import InMemoryConversations


class InMemoryPending:
    def __init__(self, conversations: InMemoryConversations, clock: Clock) -> None:
        self._conversations, self._clock = conversations, clock
        self._known: dict[tuple[str, str, str], PendingReply] = {}

    def begin(self, tenant: str, conversation_id: str, reply: PendingReply, *, request_key: str) -> PendingReply:
        self._conversations.conversation(tenant, conversation_id)
        first = self._known.get((tenant, conversation_id, request_key))
        if first and first.until > self._clock():
            return first
        self._known[tenant, conversation_id, request_key] = reply
        return reply

    def end(self, tenant: str, conversation_id: str, *, request_key: str, became: str | None = None) -> None:
        known = self._known.get((tenant, conversation_id, request_key))
        if known:
            over = known.model_copy(update={"until": min(known.until, self._clock()), "became": became})
            self._known[tenant, conversation_id, request_key] = over

    def find(self, tenant: str, conversation_id: str, message_id: str) -> PendingReply:
        for (owner, where, _), reply in self._known.items():
            if (owner, where, reply.message_id) == (tenant, conversation_id, message_id):
                return reply
        raise NotFoundError("no such message")
