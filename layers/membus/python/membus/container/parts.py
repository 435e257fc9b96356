"""What every group of parts has: the container, for what groups share, and the settings."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from membus.container import Container


class Parts:
    """The adapters of one capability, each made once, when it is first asked for."""

    def __init__(self, container: "Container") -> None:
        self._container = container
        self._settings = container.settings
