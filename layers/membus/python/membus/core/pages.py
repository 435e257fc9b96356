"""One page of a listing and the key that the next one starts after.

A seal that only membus can make, so that a cursor cannot be forged.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`after` names the last key read, None on the last page.

    An empty page may still have one (expired items).
    """

    items: tuple[T, ...]
    after: dict[str, str] | None = None


class CursorSigner(Protocol):
    def sign_message(self, message: bytes) -> bytes:
        """Return the message's authentication code; the same message always gives the same code."""
