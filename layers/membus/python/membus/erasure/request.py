"""The start of an erasure: its job is written with the ledger's line, then announced to the function."""

from datetime import datetime

from membus.core.errors import UnavailableError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, erasure_due, new_erasure_job
from membus.erasure.ports import ErasureJobs
from membus.events.ports import EventBus


def request_erasure(
    owner: Owner,
    *,
    request_key: str | None,
    requested_by: str,
    now: datetime,
    jobs: ErasureJobs,
    announcements: EventBus,
) -> ErasureJob:
    """Start the erasure of a user, or return the running job; from now on nothing of them is read.

    Raises:
        ConflictError: `legal_hold`.
        UnavailableError: the job is written but was not announced; the same request announces it.
    """
    asked = new_erasure_job(
        owner.tenant, owner.user, request_key=request_key, requested_by=requested_by, now=now
    )
    job = jobs.start_job(asked)
    if job.receipt is None and announcements.publish_events([erasure_due(job)]):
        raise UnavailableError("the erasure is noted, but could not be begun: send this request again")
    return job
