"""Cursors that only membus can make, each good for one tenant and one query."""

import base64
import hmac
import json

from membus.core.errors import InvalidError
from membus.core.pages import CursorSigner

SIGNATURE_BYTES = 16
"""128 of the code's 256 bits: as hard to guess as an API key, and the cursor stays short."""


def write_cursor(after: dict[str, str] | None, *, query: str, sealer: CursorSigner) -> str | None:
    """Return the cursor of the page that starts after a key, or None for the last page."""
    if after is None:
        return None
    key = json.dumps(after, sort_keys=True, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_signature(key, query, sealer) + key).decode().rstrip("=")


def read_cursor(cursor: str | None, *, query: str, sealer: CursorSigner) -> dict[str, str] | None:
    """Return the key a cursor stands for.

    Raises:
        InvalidError: `bad_cursor` when it was changed, or made for another tenant or another query.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidError("this cursor was not made here", code="bad_cursor") from error
    seal, key = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not hmac.compare_digest(seal, _signature(key, query, sealer)):
        raise InvalidError("this cursor belongs to another query, or was changed", code="bad_cursor")
    after: dict[str, str] = json.loads(key)
    return after


def _signature(key: bytes, query: str, sealer: CursorSigner) -> bytes:
    return sealer.sign_message(query.encode() + b"\n" + key)[:SIGNATURE_BYTES]
