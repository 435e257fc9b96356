"""A seal made by a key in memory."""

import hashlib
import hmac


class HmacCursorSigner:
    def __init__(self, key: bytes = b"only tests know this") -> None:
        self._key = key

    def sign_message(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, hashlib.sha256)
