"""What users said a moment ago; a turn of chat stores it with its messages (`ConversationStore.add`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from membus.domain.fresh import UnprocessedMessage
from membus.domain.identity import Owner


class ProcessedMarker(Protocol):
    """As much as learning needs."""

    def settle(self, owner: Owner, places: Iterable[str]) -> None: ...


class UnprocessedMessages(ProcessedMarker, Protocol):
    def newest(self, owner: Owner) -> list[UnprocessedMessage]:
        """Return the newest that nobody has learned from yet, newest first; one read."""

    def stamp(self, owner: Owner) -> str | None:
        """Return what changes with each word that is said.

        None once some were learned from and none was said since.
        """

    def keep(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        """Keep what users said in events; a turn of chat keeps its own."""

    def settle(self, owner: Owner, places: Iterable[str]) -> None:
        """Let go of what has been read, whether it was there or not, and of the stamp with it."""
