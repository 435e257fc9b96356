"""How an erasure begins: the job that does it, and the event that wakes whoever does."""

import hashlib
import uuid
from datetime import datetime, timedelta

from membus.domain.erasure import LEDGER_CACHE_LIFETIME, erasure_subject
from membus.domain.event import Event
from membus.domain.job import ErasureJob

CLOCK_SKEW = timedelta(seconds=5)
"""How far two machines' clocks may be apart."""


def new_erasure_job(
    tenant: str, user: str | None, *, request_key: str | None, requested_by: str, now: datetime
) -> ErasureJob:
    """Return a job that has yet to begin.

    All counts as erased that is learned until every writer has heard of it.
    """
    return ErasureJob(
        job_id=_job_id(tenant, user, request_key),
        tenant=tenant,
        user=user,
        subject=erasure_subject(tenant, user),
        requested_at=now,
        requested_by=requested_by,
        before=now + LEDGER_CACHE_LIFETIME + CLOCK_SKEW,
        updated_at=now,
    )


def erasure_due(job: ErasureJob) -> Event:
    """Return what wakes the function that erases; it names the job and nobody else."""
    return Event(
        event_id=f"{job.job_id}-{job.revision}",
        tenant_id=job.tenant,
        user_id="-",
        type="erasure.due",
        occurred_at=job.updated_at,
        payload={"job_id": job.job_id},
    )


def _job_id(tenant: str, user: str | None, request_key: str | None) -> str:
    if request_key is None:
        return f"job_{uuid.uuid4().hex[:26]}"
    asked = f"erasure\n{tenant}\n{user}\n{request_key}"
    return f"job_{hashlib.sha256(asked.encode()).hexdigest()[:26]}"
