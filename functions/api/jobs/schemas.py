"""The JSON of jobs."""

from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from membus.erasure.model import ErasureJob, JobStatus
from membus.transfer.model import Export
from membus.transfer.ports import ExportFiles

LINK_LIFETIME = timedelta(minutes=15)
"""Long enough to begin a download; a repeated request for the job returns a new link."""


class ErasureReceiptOut(BaseModel):
    """What is left by store, asked anew after the last removal; it is 0 everywhere."""

    proven_at: AwareDatetime
    left: dict[str, int]
    rotates: dict[str, date] = Field(
        description="copies that no query reaches and nobody restores from without erasing again: "
        "the day on which the last one is gone"
    )
    final: date


class ErasureJobOut(BaseModel):
    """`running`, `settling` until whoever had not heard of it has ended, then `running` again, and `done`."""

    job_id: str
    kind: Literal["erasure", "purge"]
    status: JobStatus
    requested_at: AwareDatetime
    covers_until: AwareDatetime = Field(
        description="what was learned up to then is erased; later events are new"
    )
    settles_at: AwareDatetime | None
    removed: dict[str, int] = Field(description="by store; at least so many")
    receipt: ErasureReceiptOut | None

    @classmethod
    def from_job(cls, job: ErasureJob) -> "ErasureJobOut":
        return cls.model_validate(job.model_dump() | {"covers_until": job.before})


class ExportJobOut(BaseModel):
    """`running`, then `done` with the address of the archive, or `failed` for good."""

    job_id: str
    kind: Literal["export"]
    status: Literal["running", "done", "failed"]
    requested_at: AwareDatetime
    rows: dict[str, int] = Field(description="lines by file of the archive")
    bytes: int
    url: str | None = Field(
        description="of the archive, a zip; whoever has it can fetch it until `url_expires_at`"
    )
    url_expires_at: AwareDatetime | None
    gone_at: AwareDatetime | None = Field(description="when the archive is removed")
    reason: str | None

    @classmethod
    def from_export(cls, export: Export, *, files: ExportFiles, now: datetime) -> "ExportJobOut":
        """Return the job, with a link to its file while there is one."""
        url = None
        if export.file_expires_at is not None and now < export.file_expires_at:
            url = files.create_link(export.file_key, seconds=int(LINK_LIFETIME.total_seconds()))
        links = {
            "kind": "export",
            "url": url,
            "url_expires_at": now + LINK_LIFETIME if url else None,
            "gone_at": export.file_expires_at,
        }
        return cls.model_validate(export.model_dump() | links)
