"""The nearest tier of a live conversation.

What it holds can always be read again from the store behind it.
"""

from typing import Protocol

from membus.domain.entities import Folded
from membus.domain.hot_records import HotEntities, HotFresh, HotProgress
from membus.domain.hot_window import HotWindow
from membus.domain.identity import Owner
from membus.domain.pending import Progress

Hot = HotWindow | HotEntities | HotProgress | HotFresh


class LiveEntities(Protocol):
    """As much as a prompt needs."""

    def entities(self, tenant: str, conversation_id: str) -> Folded | None:
        """Return what was made of the newest messages when the last turn was stored."""


class HotTier(LiveEntities, Protocol):
    """No method raises for a tier that is cold, has evicted or cannot be reached: it merely holds nothing.

    What it returns was kept in the last half hour; whether it is still exact, its reader finds out.
    """

    @property
    def away(self) -> bool:
        """Whether the tier is known to be out of reach, so that asking it is spared."""

    def window(self, tenant: str, conversation_id: str) -> HotWindow | None: ...

    def progress(self, tenant: str, conversation_id: str, request_key: str) -> Progress | None: ...

    def fresh(self, owner: Owner) -> HotFresh | None: ...

    def keep(self, held: Hot) -> None: ...

    def drop(self, tenant: str, conversation_id: str) -> None:
        """Hold no message of the conversation any more, if the tier can be reached.

        Half an hour does the rest.
        """

    def forget(self, owner: Owner) -> None:
        """Hold nothing any more of what a user just said, as `drop` does."""
