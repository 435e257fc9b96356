"""Texts too large for an item, kept elsewhere under a key that the item points to."""

from contextlib import suppress
from typing import Protocol

from membus.core.errors import UnavailableError


class BlobStore(Protocol):
    """A key starts with what it belongs to (`states/`, `episodes/`), which decides how long it is kept.

    Raises UnavailableError when the store does not answer.
    """

    def put_text(self, key: str, text: str) -> None:
        """Keep the text; the same key must always mean the same text."""

    def get_text(self, key: str) -> str | None:
        """Return the text, or None where nothing is kept under the key."""

    def delete_text(self, key: str) -> None:
        """Remove the text; a key that holds none is fine."""


LARGE_TEXT_BYTES = 32 * 1024
"""Every read of an item pays for all of it, and an index copies it: a large text costs less among objects."""


def is_large_text(text: str) -> bool:
    return len(text.encode()) > LARGE_TEXT_BYTES


def discard_text(contents: BlobStore, key: str | None) -> None:
    """Remove a text that no item points to, if it has one.

    One that cannot be removed now goes when its owner is erased, or with the store's lifecycle.
    """
    if key:
        with suppress(UnavailableError):
            contents.delete_text(key)
