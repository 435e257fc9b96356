"""Turns that outlast the request which asked for them."""

from collections.abc import Mapping
from typing import Any, Protocol


class TurnQueue(Protocol):
    def begin(self, turn: Mapping[str, Any]) -> None:
        """Have a turn worked on behind the scenes, at least once; UnavailableError where it is not taken."""
