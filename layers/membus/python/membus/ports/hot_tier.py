"""The nearest tier of a live conversation.

What it holds can always be read again from the store behind it.
"""

from typing import Protocol

from membus.domain.entities import EntitySnapshot
from membus.domain.hot_records import CachedEntities, CachedProgress, CachedUnprocessed
from membus.domain.hot_window import CachedWindow
from membus.domain.identity import Owner
from membus.domain.pending import StepProgress

CacheRecord = CachedWindow | CachedEntities | CachedProgress | CachedUnprocessed


class EntityCache(Protocol):
    """As much as a prompt needs."""

    def entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:
        """Return what was made of the newest messages when the last turn was stored."""


class ConversationCache(EntityCache, Protocol):
    """No method raises for a tier that is cold, has evicted or cannot be reached: it merely holds nothing.

    What it returns was kept in the last half hour; whether it is still exact, its reader finds out.
    """

    @property
    def away(self) -> bool:
        """Whether the tier is known to be out of reach, so that asking it is spared."""

    def window(self, tenant: str, conversation_id: str) -> CachedWindow | None: ...

    def progress(self, tenant: str, conversation_id: str, request_key: str) -> StepProgress | None: ...

    def fresh(self, owner: Owner) -> CachedUnprocessed | None: ...

    def keep(self, held: CacheRecord) -> None: ...

    def drop(self, tenant: str, conversation_id: str) -> None:
        """Hold no message of the conversation any more, if the tier can be reached.

        Half an hour does the rest.
        """

    def forget(self, owner: Owner) -> None:
        """Hold nothing any more of what a user just said, as `drop` does."""
