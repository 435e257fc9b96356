"""Fresh words, as in-memory conversations keep them."""

from collections.abc import Iterable, Mapping, Sequence

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

    def keep(self, said: Mapping[Owner, Sequence[Fresh]]) -> None:
        for owner, words in said.items():
            self._conversations.fresh[owner] |= {each.place: each for each in words}

    def settle(self, owner: Owner, places: Iterable[str]) -> None:
        for place in places:
            self._conversations.fresh[owner].pop(place, None)
