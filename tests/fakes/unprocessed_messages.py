"""Fresh words, as in-memory conversations keep them."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

from membus.conversations.unprocessed_messages import UNPROCESSED_MAX, UnprocessedMessage
from membus.core.identity import Owner
from tests.fakes.conversations import InMemoryConversations


class InMemoryUnprocessedMessages:
    def __init__(self, conversations: InMemoryConversations) -> None:
        self._conversations = conversations

    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        now = self._conversations.clock()
        mine = sorted(self._conversations.fresh[owner].items(), reverse=True)[:UNPROCESSED_MAX]
        return [fresh for _, fresh in mine if fresh.expires_at > now]

    def get_version_token(self, owner: Owner) -> str | None:
        return self._conversations.stamps.get(owner)

    def add_messages(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        for owner, words in said.items():
            self._conversations.fresh[owner] |= {each.sort_key: each for each in words}
            self._conversations.stamps[owner] = uuid4().hex

    def mark_processed(self, owner: Owner, sort_keys: Iterable[str]) -> None:
        self._conversations.stamps.pop(owner, None)
        for sort_key in sort_keys:
            self._conversations.fresh[owner].pop(sort_key, None)
