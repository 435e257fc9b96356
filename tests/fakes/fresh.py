"""Fresh words, as in-memory conversations keep them."""

from collections.abc import Iterable

from membus.domain.fresh import FRESH_MAX, Fresh
from membus.domain.identity import Owner
from tests.fakes.conversations import InMemoryConversations


class InMemoryFresh:
    def __init__(self, conversations: InMemoryConversations) -> None:
        self._conversations = conversations

    def newest(self, owner: Owner) -> list[Fresh]:
        now = self._conversations.clock()
        mine = sorted(self._conversations.fresh[owner].items(), reverse=True)[:FRESH_MAX]
        return [fresh for _, fresh in mine if fresh.expires_at > now]

    def settle(self, owner: Owner, event_ids: Iterable[str]) -> None:
        for event_id in event_ids:
            self._conversations.fresh[owner].pop(event_id, None)
