"""Memories, which search finds, and documents, the texts that a client puts into memory itself."""

import hashlib
import unicodedata
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from membus.core.clock import epoch_ms
from membus.core.identity import Id, MemorySource, Record
from membus.search.passages import find_speaker

MemoryKind = Literal["fact", "episode", "document", "summary"]
METADATA_BYTES_MAX = 16_000
SHARED_SCOPE = "*"
"""The scope of memories that belong to no user and no agent."""
FINAL_VERSION = 2**53
"""The version of a removal that is final."""


class Memory(Record):
    """One searchable thing, whatever store it comes from.

    `memory_id` is its natural key within the tenant. `version` rises with each change, and the newest one
    wins in whatever order copies arrive. `session` groups messages; '' is none. `earlier` are its former
    values, each until `valid_until`; a memory without a text has only those.
    """

    tenant_id: Id
    memory_id: str
    kind: MemoryKind
    text: str
    user_id: Id | None = None
    agent_id: Id | None = None
    session: str = ""
    speaker: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    source: MemorySource = MemorySource()
    occurred_at: AwareDatetime
    valid_until: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    version: int = 1
    earlier: tuple["Memory", ...] = ()

    @property
    def scope(self) -> str:
        return memory_scope(self.user_id, self.agent_id)


class Removal(Record):
    """A memory that is gone: no copy of it up to `version` may come back.

    An `erased` one leaves no record, because its id names a user; the erasure guard refuses old events.
    """

    tenant_id: Id
    memory_id: str
    version: int
    erased: bool = False


def memory_scope(user_id: str | None, agent_id: str | None) -> str:
    """Return the scope of a memory: the user's, else the agent's, else the tenant's."""
    if user_id:
        return f"U#{user_id}"
    return f"A#{agent_id}" if agent_id else SHARED_SCOPE


def is_live(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is None or expires_at > now


DOCUMENT_CHARACTERS_MAX = 1_000_000
"""A long novel; at four bytes a character it still fits an answer of 6 MB."""
DUPLICATE_SIMILARITY = 0.95
"""From this cosine similarity on two documents sound alike; they are linked, not merged."""


class Document(Record):
    """`version` counts the changes; a `deleted` document stays stored so that no older copy comes back.

    The index orders changes by `updated_at`, which only rises, while the version of a document that is put
    again after it expired starts anew.
    """

    memory_id: Id
    tenant_id: Id
    user_id: Id | None = None
    agent_id: Id | None = None
    text: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    version: int = 1
    deleted: bool = False

    @property
    def scope(self) -> str:
        return memory_scope(self.user_id, self.agent_id)

    def as_memory(self) -> Memory:
        return Memory(
            tenant_id=self.tenant_id,
            memory_id=self.memory_id,
            kind="document",
            text=self.text,
            user_id=self.user_id,
            agent_id=self.agent_id,
            speaker=find_speaker(self.text),
            metadata=self.metadata,
            occurred_at=self.created_at,
            expires_at=self.expires_at,
            version=epoch_ms(self.updated_at),
        )

    def as_removal(self) -> Removal:
        return Removal(tenant_id=self.tenant_id, memory_id=self.memory_id, version=epoch_ms(self.updated_at))


def document_id(user_id: str | None, agent_id: str | None, text: str, *, again: int) -> str:
    """Return the id of an owner's document; `again` counts those of the same words changed since."""
    identity = "\n".join((user_id or "", agent_id or "", str(again), _normalize(text)))
    return f"mem_{hashlib.sha256(identity.encode()).hexdigest()[:26]}"


def has_same_words(one: str, other: str) -> bool:
    return _normalize(one) == _normalize(other)


def _normalize(text: str) -> str:
    """Return the text in one Unicode form with single spaces; case counts: `DB_URL` is not `db_url`."""
    return " ".join(unicodedata.normalize("NFC", text).split())
