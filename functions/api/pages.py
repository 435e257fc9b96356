"""Pages of a listing, and their cursors: signed, and each valid for one tenant and one query."""

import base64
import hmac
import json
from dataclasses import dataclass

from membus.core.errors import InvalidError
from membus.core.pages import CursorSigner

SIGNATURE_BYTES = 16
"""128 of the code's 256 bits: as hard to guess as an API key, and the cursor stays short."""


@dataclass(frozen=True)
class PageQuery:
    """One page of a query: its size, the key that it starts after, and how its next cursor is signed."""

    text: str
    limit: int
    after: dict[str, str] | None
    signer: CursorSigner

    def next_cursor(self, after: dict[str, str] | None) -> str | None:
        """Return the cursor of the page that starts after a key, or None for the last page."""
        return write_cursor(after, query=self.text, signer=self.signer)


@dataclass(frozen=True)
class PageRequest:
    """The page that a request asks for: how many items, and which by its cursor."""

    limit: int
    cursor: str | None
    signer: CursorSigner

    def for_query(self, *parts: object) -> PageQuery:
        """Return the page of a query, which its parts name: first the listing, then the tenant.

        Raises:
            InvalidError: `bad_cursor`.
        """
        text = "\n".join(map(str, parts))
        after = read_cursor(self.cursor, query=text, signer=self.signer)
        return PageQuery(text, self.limit, after, self.signer)


def write_cursor(after: dict[str, str] | None, *, query: str, signer: CursorSigner) -> str | None:
    if after is None:
        return None
    key = json.dumps(after, sort_keys=True, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_sign(key, query, signer) + key).decode().rstrip("=")


def read_cursor(cursor: str | None, *, query: str, signer: CursorSigner) -> dict[str, str] | None:
    """Return the key that a cursor holds.

    Raises:
        InvalidError: `bad_cursor` when it was changed, or made for another tenant or another query.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidError("this cursor was not made here", code="bad_cursor") from error
    signature, key = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(key, query, signer)):
        raise InvalidError("this cursor belongs to another query, or was changed", code="bad_cursor")
    after: dict[str, str] = json.loads(key)
    return after


def _sign(key: bytes, query: str, signer: CursorSigner) -> bytes:
    return signer.sign_message(query.encode() + b"\n" + key)[:SIGNATURE_BYTES]
