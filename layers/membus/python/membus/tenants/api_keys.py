"""API keys `mb_<env>_<keyid>_<secret><crc>`: shown once, checked without I/O, stored as a hash."""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from membus.core.errors import UnauthorizedError

_ALPHABET = string.digits + string.ascii_letters
_KEY_ID_LENGTH = 12
_SECRET_LENGTH = 32  # 190 bits
_CRC_LENGTH = 6  # 32 bits in base 62
_SHAPE = re.compile(r"mb_([a-z0-9]{1,16})_([0-9A-Za-z]{12})_([0-9A-Za-z]{32})[0-9A-Za-z]{6}")
_NO_HASH = "0" * 64


class ApiScope(StrEnum):
    """What a key may do; the API contract names one scope for each route."""

    EVENTS_WRITE = "events:write"
    MEMORY_READ = "memory:read"
    MEMORY_WRITE = "memory:write"
    CHAT = "chat"
    ADMIN = "admin"


ANY_SCOPE = "*"
"""The scope of a route that every key may call: it checks scopes by itself, for each thing it is asked to do."""


@dataclass(frozen=True)
class Credential:
    """A key with its secret, which exists only where a key is created or presented and is never stored."""

    environment: str
    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def generate(cls, environment: str) -> Self:
        return cls(environment, _random(_KEY_ID_LENGTH), _random(_SECRET_LENGTH))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a key's credential; UnauthorizedError if malformed: CRC-32 finds any changed character."""
        shaped = _SHAPE.fullmatch(text)
        if shaped is None:
            raise UnauthorizedError("malformed key")
        credential = cls(*shaped.groups())
        if not hmac.compare_digest(credential.full_text, text):
            raise UnauthorizedError("wrong checksum")
        return credential

    @property
    def full_text(self) -> str:
        body = f"mb_{self.environment}_{self.key_id}_{self.secret}"
        return body + _checksum(body)

    @property
    def secret_hash(self) -> str:
        """The stored hash; a fast one is enough for a random secret, which no dictionary holds."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


@dataclass(frozen=True)
class ApiKey:
    """A stored key: everything but the secret."""

    key_id: str
    tenant_id: str
    name: str
    scopes: tuple[ApiScope, ...]
    secret_hash: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def status_at(self, now: datetime) -> str:
        """Return `active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def verify_key(credential: Credential, stored: ApiKey | None, *, now: datetime) -> ApiKey:
    """Return the stored key if `credential` fits it and it is active; raises UnauthorizedError otherwise.

    The secret is hashed and compared in every case: the time of an answer does not tell an unknown key from a
    wrong, revoked or expired one.
    """
    matches = hmac.compare_digest(credential.secret_hash, stored.secret_hash if stored else _NO_HASH)
    if stored is None:
        raise UnauthorizedError("unknown key")
    if not matches:
        raise UnauthorizedError("wrong secret")
    if (status := stored.status_at(now)) != "active":
        raise UnauthorizedError(f"{status} key")
    return stored


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    crc, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CRC_LENGTH):
        crc, digit = divmod(crc, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


class ApiKeyStore(Protocol):
    """The store of keys; raises UnavailableError where it does not answer, and callers must then refuse."""

    def find_key(self, key_id: str) -> ApiKey | None:
        """Return the key whatever its status, by a consistent read."""

    def add_key(self, key: ApiKey) -> None:
        """Raise ConflictError where the key id is taken."""

    def list_keys(self, tenant_id: str) -> list[ApiKey]:
        """Return the tenant's keys, oldest first."""

    def revoke_key(self, key_id: str, *, at: datetime) -> ApiKey:
        """Return the revoked key, NotFoundError if unknown; a second revocation keeps the first moment."""
