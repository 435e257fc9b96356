"""The nearest tier of a live conversation: what it holds can always be read again from the store behind it."""

from typing import Protocol

from membus.domain.hot_window import HotWindow


class HotTier(Protocol):
    """No method raises for a tier that is cold, has evicted or cannot be reached: it merely holds nothing."""

    @property
    def away(self) -> bool:
        """Whether the tier is known to be out of reach, so that asking it is spared."""

    def window(self, tenant: str, conversation_id: str) -> HotWindow | None:
        """Return the window that was kept in the last half hour, if it is still there."""

    def keep(self, window: HotWindow) -> None: ...

    def drop(self, tenant: str, conversation_id: str) -> None:
        """Hold nothing of the conversation any more, as far as the tier can be reached; half an hour does the rest."""
