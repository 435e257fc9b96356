"""Pages of a listing, and the signature that keeps a client from forging a cursor."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
After = dict[str, str] | None
"""The key after which a page starts, None for the first page."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """`after` is the last key read, None on the last page; a page of expired items alone may have one."""

    items: tuple[T, ...]
    after: After = None

    def map(self, act: Callable[[T], R]) -> "Page[R]":
        """Return the page with what `act` makes of each of its items."""
        return Page(tuple(map(act, self.items)), self.after)


class PageReader(Protocol[T]):
    """A listing whose other arguments are bound, e.g. `partial(store.list_messages, tenant, limit=100)`."""

    def __call__(self, *, after: After) -> Page[T]: ...


def read_pages(read: PageReader[T], after: After = None) -> Iterator[Page[T]]:
    """Yield every page from a key on."""
    while True:
        page = read(after=after)
        yield page
        if page.after is None:
            return
        after = page.after


def read_items(read: PageReader[T]) -> Iterator[T]:
    """Yield the items of all pages."""
    return (item for page in read_pages(read) for item in page.items)


class CursorSigner(Protocol):
    def sign_message(self, message: bytes) -> bytes:
        """Return the message's authentication code; the same message always gives the same code."""
