"""What the archive function is invoked with, by its schedule or by an operator, and what it returns."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from membus.core.identity import Id

SHARDS = 16
"""Shards of the index of unarchived episodes; as many as `membus.episodes.dynamodb` spreads it over."""
Shard = Annotated[int, Field(ge=0, lt=SHARDS)]


class _ShardTask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shards: list[Shard] = Field(default_factory=lambda: list(range(SHARDS)))
    dry_run: bool = False


class _TenantTask(BaseModel):
    """`after` is the cursor of an earlier run; `seconds` is how long to work, by default as possible."""

    model_config = ConfigDict(extra="forbid")

    tenant: Id
    after: str = ""
    seconds: Annotated[int | None, Field(ge=1)] = None


class ArchiveTask(_ShardTask):
    """Archive the unarchived episodes of shards.

    `quiet_days` is for how long a day must be over; 0 includes today.
    """

    task: Literal["archive"] = "archive"
    quiet_days: int | None = Field(default=None, ge=0)


class CompactDueTask(_ShardTask):
    """Compact the months to which objects were added, of all tenants, where it is worth it."""

    task: Literal["compact_due"]


class CompactTask(_TenantTask):
    """Compact all months of a tenant."""

    task: Literal["compact"]
    dry_run: bool = False


class VerifyTask(_TenantTask):
    """Read all objects of a tenant and compare them with the catalog."""

    task: Literal["verify"]


Task = ArchiveTask | CompactTask | CompactDueTask | VerifyTask


class ArchiveRequest(BaseModel):
    task: Annotated[Task, Field(discriminator="task")]


class ArchiveOutcome(BaseModel):
    """What a run did; `problems` name objects and partitions.

    `unfinished` says that time ran out: the next run goes on, after the `cursor` where there is one.
    """

    episodes: int = 0
    objects: int = 0
    bytes: int = 0
    unfinished: bool = False
    cursor: str = ""
    problems: list[str] = Field(default_factory=list)
