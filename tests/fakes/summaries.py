"""Summaries in dictionaries, beside the messages of the in-memory conversations."""

from collections import defaultdict
from collections.abc import Sequence

from membus.conversations.conversation import Message
from membus.conversations.summary import Summary, SummaryIndex
from membus.core.errors import ConflictError, NotFoundError
from membus.core.pages import Page
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.listing import page_of

Key = tuple[str, str]


class InMemorySummaries:
    def __init__(self, conversations: InMemoryConversations) -> None:
        self._conversations = conversations
        self._outlines: dict[Key, list[SummaryIndex]] = defaultdict(lambda: [SummaryIndex()])
        self._summaries: dict[Key, dict[str, Summary]] = defaultdict(dict)

    def get_index(self, tenant: str, conversation_id: str, version: int | None = None) -> SummaryIndex:
        kept = self._outlines[tenant, conversation_id]
        if version is None:
            return kept[-1]
        return kept[version] if version < len(kept) else SummaryIndex()

    def list_summaries(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[Summary]:
        return page_of(self._summaries[tenant, conversation_id], limit=limit, after=after)

    def list_unsummarised(
        self, tenant: str, conversation_id: str, *, after: str | None, limit: int
    ) -> list[Message]:
        said = self._conversations.list_messages(tenant, conversation_id, limit=10**6, after=None).items
        return [message for message in said if message.message_id > (after or "")][:limit]

    def save_index(
        self,
        tenant: str,
        conversation_id: str,
        index: SummaryIndex,
        *,
        read: SummaryIndex,
        summaries: Sequence[Summary],
    ) -> None:
        key = tenant, conversation_id
        try:
            self._conversations.get_conversation(tenant, conversation_id)
        except NotFoundError as gone:
            raise ConflictError("the conversation is gone") from gone
        if self._outlines[key][-1].last_checkpoint != read.last_checkpoint:
            raise ConflictError("the summary has moved on")
        self._outlines[key].append(index)
        self._conversations.cover(tenant, conversation_id, index.borders)
        self._summaries[key] |= {f"SUMMARY#{each.level}#{each.first}": each for each in summaries}
