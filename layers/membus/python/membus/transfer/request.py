"""How an export starts: a job is written, and an announcement tells the function that advances it."""

import hashlib
import uuid
from datetime import datetime

from membus.core.erasure import erasure_subject
from membus.core.errors import UnavailableError
from membus.core.identity import Owner
from membus.events.ports import EventBus
from membus.transfer.model import JOB_PREFIX, Export, export_due
from membus.transfer.ports import ExportJobs


def request_export(
    owner: Owner,
    *,
    request_key: str | None,
    requested_by: str,
    now: datetime,
    exports: ExportJobs,
    announcements: EventBus,
    dry_run: bool = False,
) -> Export:
    """Start the export of a user, or return the job that the same request started.

    Raises:
        UnavailableError: the job is written but was not announced; the same request announces it.
    """
    export = exports.start_export(
        Export(
            job_id=_export_job_id(owner, request_key),
            tenant=owner.tenant,
            user=owner.user,
            dry_run=dry_run,
            subject=erasure_subject(owner.tenant, owner.user),
            requested_at=now,
            requested_by=requested_by,
        )
    )
    if export.status == "running" and announcements.publish_events([export_due(export)]):
        raise UnavailableError("the export is noted, but could not be begun: send this request again")
    return export


def _export_job_id(owner: Owner, request_key: str | None) -> str:
    if request_key is None:
        return f"{JOB_PREFIX}{uuid.uuid4().hex[:26]}"
    asked = f"export\n{owner.tenant}\n{owner.user}\n{request_key}"
    return f"{JOB_PREFIX}{hashlib.sha256(asked.encode()).hexdigest()[:26]}"
