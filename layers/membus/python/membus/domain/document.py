"""Documents.

Texts that a client puts into memory itself, kept whole and versioned beside what is searched.
"""

import hashlib
import re
from typing import Any

from pydantic import AwareDatetime, Field

from membus.domain.event import epoch_ms
from membus.domain.identity import Id, Record
from membus.domain.memory import Memory, Removal, memory_scope
from membus.domain.search.speakers import find_speaker

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
