"""Search as chat sees it: passages for a message, and the words of those that a reply rested on."""

from collections.abc import Sequence
from typing import Protocol

from membus.domain.identity import Owner
from membus.domain.recall import RecalledPassage


class MemorySearchClient(Protocol):
    """Raises UnavailableError where the search does not answer in time."""

    def found(self, owner: Owner, message: str, *, limit: int) -> list[RecalledPassage]:
        """Return passages of the user's memory that may answer the message, the best first."""

    def texts(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return all passages of each of those memories that are still there."""
