"""Erasure as the API sees it: asked for once, done by a job, proven by its receipt."""

import hashlib
import uuid
from datetime import datetime, timedelta

from membus.domain.erasure import HEARD_WITHIN, subject_of
from membus.domain.event import Event
from membus.domain.identity import Owner
from membus.domain.job import Job
from membus.errors import UnavailableError
from membus.ports.erasures import Jobs
from membus.ports.events import EventBus

SKEW = timedelta(seconds=5)
"""How far two machines' clocks may be apart."""


def erase_user(
    owner: Owner, *, request_key: str | None, requested_by: str, now: datetime, jobs: Jobs, announcements: EventBus
) -> Job:
    """Begin to erase a user, or return the job that is at it; from here on nothing of the user is read.

    All counts as erased that is learned until every writer has heard of it, a minute from now.

    Raises:
        ConflictError: `legal_hold`.
        UnavailableError: the job is written and nobody is told to do it; the same request does that.
    """
    job = jobs.begin(
        Job(
            job_id=_job_id(owner, request_key), tenant=owner.tenant, user=owner.user,
            subject=subject_of(owner.tenant, owner.user), requested_at=now, requested_by=requested_by,
            before=now + HEARD_WITHIN + SKEW, updated_at=now,
        )
    )  # fmt: skip
    if job.receipt is None and announcements.publish([due(job)]):
        raise UnavailableError("the erasure is noted, but could not be begun: send this request again")
    return job


def due(job: Job) -> Event:
    """Return what wakes the function that erases; it names the job and nobody else."""
    return Event(
        event_id=f"{job.job_id}-{job.revision}", tenant_id=job.tenant, user_id="-", type="erasure.due",
        occurred_at=job.updated_at, payload={"job_id": job.job_id},
    )  # fmt: skip


def _job_id(owner: Owner, request_key: str | None) -> str:
    if request_key is None:
        return f"job_{uuid.uuid4().hex[:26]}"
    asked = f"erasure\n{owner.tenant}\n{owner.user}\n{request_key}"
    return f"job_{hashlib.sha256(asked.encode()).hexdigest()[:26]}"
