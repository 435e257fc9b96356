"""What is too large to lie in an item."""

SPILL_BYTES = 32 * 1024
"""Every read of an item pays for all of it, and an index copies it.

A large text costs less where objects lie.
"""


def spills(text: str) -> bool:
    return len(text.encode()) > SPILL_BYTES
