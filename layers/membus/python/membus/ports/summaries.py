"""The summaries of conversations, and the raw turns that they are made of."""

from collections.abc import Sequence
from typing import Protocol

from membus.domain.conversation import Message
from membus.domain.pages import Page
from membus.domain.summary import Summary, SummaryIndex


class SummaryReader(Protocol):
    """The reading half; a conversation of another tenant has none, like one that never was."""

    def outline(self, tenant: str, conversation_id: str, version: int | None = None) -> SummaryIndex:
        """Return the newest outline or one of its versions, the empty one where there is none; one read."""

    def summaries(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[Summary]:
        """Return summaries level by level, each level in the order of what it tells."""

    def unsummarised(
        self, tenant: str, conversation_id: str, *, after: str | None, limit: int
    ) -> list[Message]:
        """Return the messages behind message `after`, oldest first."""


class SummaryStore(SummaryReader, Protocol):
    def advance(
        self,
        tenant: str,
        conversation_id: str,
        outline: SummaryIndex,
        *,
        read: SummaryIndex,
        summaries: Sequence[Summary],
    ) -> None:
        """Store the next outline, with the summaries it brings, in place of the one that was `read`.

        All or nothing.

        Raises:
            ConflictError: the conversation is gone, or its outline is no longer at the version and the place
                read.
        """
