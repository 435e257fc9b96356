"""What can be found: one memory of any kind, and the scope it belongs to."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from membus.domain.identity import Id, Record

MemoryKind = Literal["fact", "episode", "document", "summary"]
METADATA_BYTES_MAX = 16_000
SHARED_SCOPE = "*"
"""The scope of what belongs to no user and no agent."""
FINAL_VERSION = 2**53
"""The version of a removal that nothing can come after."""


class MemorySource(Record):
    """What a memory rests on, as far as there is something to name."""

    event_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None


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
