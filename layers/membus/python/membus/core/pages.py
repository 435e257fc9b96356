"""Pages of a listing, and the signature that keeps a client from forging a cursor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`after` is the last key read, None on the last page; an empty page may still have one (expired items)."""

    items: tuple[T, ...]
    after: dict[str, str] | None = None

    def map(self, act: Callable[[T], R]) -> "Page[R]":
        """Return the page with what `act` makes of each of its items."""
        return Page(tuple(map(act, self.items)), self.after)


class CursorSigner(Protocol):
    def sign_message(self, message: bytes) -> bytes:
        """Return the message's authentication code; the same message always gives the same code."""
