"""The wire format of jobs."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from membus.erasure.model import ErasureJob, JobStatus


class ReceiptOut(BaseModel):
    """What is left by store, asked anew after the last removal; it is 0 everywhere."""

    proven_at: AwareDatetime
    left: dict[str, int]
    rotates: dict[str, date] = Field(
        description="copies that no query reaches and nobody restores from without erasing again: "
        "the day on which the last one is gone"
    )
    final: date


class JobOut(BaseModel):
    """`running`, `settling` until whoever had not heard of it has ended, then `running` again, and `done`."""

    job_id: str
    kind: Literal["erasure"]
    status: JobStatus
    requested_at: AwareDatetime
    covers_until: AwareDatetime = Field(
        description="what was learned up to then is erased; later events are new"
    )
    settles_at: AwareDatetime | None
    removed: dict[str, int] = Field(description="by store; at least so many")
    receipt: ReceiptOut | None

    @classmethod
    def from_job(cls, job: ErasureJob) -> "JobOut":
        known = job.model_dump(include=set(cls.model_fields) - {"covers_until"})
        return cls.model_validate(known | {"covers_until": job.before})
