"""What the archiver is asked for: by its schedule, or by an operator."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from membus.core.identity import Id

SHARDS = 16
"""Shards of the index of what waits; as many as `adapters/episode_items.py` spreads it over."""
Shard = Annotated[int, Field(ge=0, lt=SHARDS)]


Seconds = Annotated[int | None, Field(ge=1)]
"""How long to work before saying how far it has come; as long as there is time without."""


class ArchiveTask(BaseModel):
    """Archive what waits in some shards. `quiet_days` is how long a day must be over.

    0 takes today's episodes, too.
    """

    model_config = ConfigDict(extra="forbid")

    task: Literal["archive"] = "archive"
    shards: list[Shard] = Field(default_factory=lambda: list(range(SHARDS)))
    quiet_days: int | None = Field(default=None, ge=0)
    dry_run: bool = False


class CompactTask(BaseModel):
    """Merge a tenant's small objects, month by month, behind the place `after`."""

    model_config = ConfigDict(extra="forbid")

    task: Literal["compact"]
    tenant: Id
    after: str = ""
    seconds: Seconds = None
    dry_run: bool = False


class CompactDueTask(BaseModel):
    """Merge what is worth it in the months that something was written to, whoever's they are."""

    model_config = ConfigDict(extra="forbid")

    task: Literal["compact_due"]
    shards: list[Shard] = Field(default_factory=lambda: list(range(SHARDS)))
    dry_run: bool = False


class VerifyTask(BaseModel):
    """Read a tenant's objects behind the place `after`, and compare them with the catalog."""

    model_config = ConfigDict(extra="forbid")

    task: Literal["verify"]
    tenant: Id
    after: str = ""
    seconds: Seconds = None


class ArchiveRequest(BaseModel):
    asked: Annotated[ArchiveTask | CompactTask | CompactDueTask | VerifyTask, Field(discriminator="task")]


class ArchiveOutcome(BaseModel):
    """What a run did. `unfinished`.

    Time ran out, the next run goes on, where there is a `cursor`, `after` it.

    `problems` name objects and partitions.
    """

    episodes: int = 0
    objects: int = 0
    bytes: int = 0
    unfinished: bool = False
    cursor: str = ""
    problems: list[str] = Field(default_factory=list)
