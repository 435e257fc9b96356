"""Blobs: texts too large for an item, which holds their key instead (the pattern "claim check")."""

from contextlib import suppress
from typing import Protocol

from membus.core.errors import UnavailableError


class BlobStore(Protocol):
    """Texts by key; the first part of a key (`states/`, `episodes/`) decides how long its text is kept.

    Raises UnavailableError where the store does not answer.
    """

    def put_text(self, key: str, text: str) -> None:
        """Store the text; a key must always have the same text."""

    def get_text(self, key: str) -> str | None:
        """Return the text, None where the key has none."""

    def delete_text(self, key: str) -> None:
        """Delete the text; a key without one is fine."""


LARGE_TEXT_BYTES = 32 * 1024
"""Bytes from which a text costs less in S3: reads pay for a whole item, and indexes copy it."""


def is_large_text(text: str) -> bool:
    return len(text.encode()) > LARGE_TEXT_BYTES


def discard_text(contents: BlobStore, key: str | None) -> None:
    """Delete a text that no item names, if there is a key.

    Where the store is down it is deleted with its owner, or by the store's lifecycle.
    """
    if key:
        with suppress(UnavailableError):
            contents.delete_text(key)
