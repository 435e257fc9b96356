"""What can be found: one memory of any kind, and the scope it belongs to.

Documents.

Texts that a client puts into memory itself, kept whole and versioned beside what is searched.
"""

import hashlib
import re
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from membus.core.clock import epoch_ms
from membus.core.identity import Id, MemorySource, Record
from membus.search.passages import find_speaker

MemoryKind = Literal["fact", "episode", "document", "summary"]
METADATA_BYTES_MAX = 16_000
SHARED_SCOPE = "*"
"""The scope of what belongs to no user and no agent."""
FINAL_VERSION = 2**53
"""The version of a removal that nothing can come after."""


class Memory(Record):
    """One thing worth finding, whatever store it lives in.

    `memory_id` is its natural key within the tenant, `version` rises with each change of it: the newest one
    wins, in whatever order copies arrive. `session` groups what was said in one sitting ('' stands alone).
    `earlier` is what it said before, each until `valid_until`; without a text of its own only that is left of
    it.
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

    One that is `erased` leaves no mark, for its id names somebody: what was learned before is refused at the
    gate.
    """

    tenant_id: Id
    memory_id: str
    version: int
    erased: bool = False


def memory_scope(user_id: str | None, agent_id: str | None) -> str:
    """Return whose a memory is: the user's, else the agent's, else everybody's of the tenant."""
    if user_id:
        return f"U#{user_id}"
    return f"A#{agent_id}" if agent_id else SHARED_SCOPE


def is_live(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is None or expires_at > now


DOCUMENT_CHARACTERS_MAX = 1_000_000
"""Characters, a long novel's: four bytes each, and an answer of 6 MB still holds one."""
DUPLICATE_SIMILARITY = 0.95
_DETAILS = re.compile(r"\d+|\b(?:no|not|never|nor|none|neither|without|cannot)\b|n't\b")


class Document(Record):
    """`version` counts its changes; `deleted` stands for a document that is gone and must stay so.

    The index orders changes by `updated_at`, which only rises: a document put again long after it expired
    begins to count anew.
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
    """Return the id of the owner's document of these words.

    `again` counts those whose words were changed since.
    """
    identity = "\n".join((user_id or "", agent_id or "", str(again), _normalized(text)))
    return f"mem_{hashlib.sha256(identity.encode()).hexdigest()[:26]}"


def has_same_words(one: str, other: str) -> bool:
    return _normalized(one) == _normalized(other)


def has_same_details(one: str, other: str) -> bool:
    """Whether two texts that sound alike also agree.

    "at 3" is not "at 4", and "likes" is not "does not like".
    """
    return _detail_words(one) == _detail_words(other)


def _normalized(text: str) -> str:
    return " ".join(text.casefold().split())


def _detail_words(text: str) -> list[str]:
    return sorted(_DETAILS.findall(text.casefold()))
