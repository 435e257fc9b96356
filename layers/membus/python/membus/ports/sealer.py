"""A seal that only membus can make, so that a cursor cannot be forged."""

from typing import Protocol


class CursorSigner(Protocol):
    def seal(self, message: bytes) -> bytes:
        """Return the message's authentication code; the same message always gives the same code."""
