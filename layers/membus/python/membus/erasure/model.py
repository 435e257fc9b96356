"""The job of an erasure: how far it has come, its receipt, and when the last copy of the data is gone."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from membus.core.erasure import LEDGER_CACHE_LIFETIME, erasure_subject
from membus.core.event import Event
from membus.core.identity import Id, Owner, Record

JobKind = Literal["erasure", "purge"]
JobStatus = Literal["running", "settling", "done", "failed"]


class ErasureReceipt(Record):
    """What queries of all stores found `left` of the subject, and when copies beyond queries are gone.

    `rotates` names the day for each kind of copy; `final` is the latest of these days.
    """

    proven_at: AwareDatetime
    left: dict[str, int]
    rotates: dict[str, date]
    final: date


class ErasureJob(Record):
    """A job goes through all stores three times: it erases, erases again, and proves.

    Before the second round it waits until no process runs that has not read of it. `passed` counts the
    rounds, `store` and `cursor` say where it goes on. A purge takes the `events` of a user alone, and hides
    nobody meanwhile. `removed` counts by store; after a crash it may fall
    short, never the receipt. `user` is forgotten with the last step, and `revision` guards each change.
    """

    job_id: Id
    kind: JobKind = "erasure"
    tenant: Id
    user: Id | None
    events: tuple[Id, ...] = ()
    subject: str
    status: JobStatus = "running"
    requested_at: AwareDatetime
    requested_by: str
    before: AwareDatetime
    updated_at: AwareDatetime
    settles_at: AwareDatetime | None = None
    passed: int = 0
    store: int = 0
    cursor: str = ""
    removed: dict[str, int] = Field(default_factory=dict)
    left: dict[str, int] = Field(default_factory=dict)
    receipt: ErasureReceipt | None = None
    revision: int = 1


def add_counts(known: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: known.get(name, 0) + more.get(name, 0) for name in sorted({*known, *more})}


STREAM_RETENTION_DAYS = 1
"""Fixed by DynamoDB."""


def copy_expiry_dates(days: Mapping[str, int], *, erased_at: datetime) -> dict[str, date]:
    """Return the day on which the last copy of each kind is gone; a kind that keeps nothing is left out."""
    return {
        name: (erased_at + timedelta(days=kept + 1)).date()
        for name, kept in sorted({**days, "streams": STREAM_RETENTION_DAYS}.items())
        if kept > 0
    }


CLOCK_SKEW = timedelta(seconds=5)
"""How far two machines' clocks may be apart."""


def new_erasure_job(
    tenant: str, user: str | None, *, request_key: str | None, requested_by: str, now: datetime
) -> ErasureJob:
    """Return a job that has yet to start; it covers all that is learned until every writer has read of it."""
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


def new_purge_job(
    owner: Owner, events: Sequence[str], *, request_key: str | None, requested_by: str, now: datetime
) -> ErasureJob:
    """Return the job of purging events of a user, which has yet to start."""
    asked = "\n".join((request_key, *events)) if request_key else None
    job = new_erasure_job(owner.tenant, owner.user, request_key=asked, requested_by=requested_by, now=now)
    return job.model_copy(update={"kind": "purge", "events": tuple(events)})


def erasure_due(job: ErasureJob) -> Event:
    """Return the event that starts the function `erase`; it names the job and no user."""
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
