"""What is too large to lie in an item."""

LARGE_TEXT_BYTES = 32 * 1024
"""Every read of an item pays for all of it, and an index copies it.

A large text costs less where objects lie.
"""


def is_large_text(text: str) -> bool:
    return len(text.encode()) > LARGE_TEXT_BYTES
