"""The start of an erasure: its job is written with the ledger's line, then announced to the function."""

from collections.abc import Sequence
from datetime import datetime

from membus.core.errors import UnavailableError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, erasure_due, new_erasure_job, new_purge_job
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
    return _announce(jobs.start_job(asked), announcements)


def request_purge(
    owner: Owner,
    events: Sequence[str],
    *,
    request_key: str | None,
    requested_by: str,
    now: datetime,
    jobs: ErasureJobs,
    announcements: EventBus,
) -> ErasureJob:
    """Start the purge of a user's events, or return the job of the same request.

    Raises:
        ConflictError: `legal_hold`, or `erasing`.
        UnavailableError: the job is written but was not announced; the same request announces it.
    """
    asked = new_purge_job(owner, events, request_key=request_key, requested_by=requested_by, now=now)
    return _announce(jobs.start_purge(asked), announcements)


def _announce(job: ErasureJob, announcements: EventBus) -> ErasureJob:
    if job.receipt is None and announcements.publish_events([erasure_due(job)]):
        raise UnavailableError("the erasure is noted, but could not be begun: send this request again")
    return job
