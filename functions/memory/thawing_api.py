"""The wire format of a thaw: cold episodes that S3 brings back from a class which takes hours."""

import base64
from typing import Literal

from pydantic import BaseModel, Field

from membus.errors import InvalidError, NotFoundError, RestoreInProgressError
from membus.ports.cold import ArchiveCatalog, ArchiveObjects

RESTORE_JOB_PREFIX = "thaw-"


class RestoreOut(BaseModel):
    """The same request answers once the job is done; asking earlier costs nothing and begins nothing anew."""

    job_id: str = Field(description="`GET /v1/jobs/{job_id}` tells how far it is")
    kind: Literal["thaw"] = "thaw"
    status: Literal["running", "done"]
    object: str
    retry_after_seconds: int

    @classmethod
    def of(cls, thawing: RestoreInProgressError) -> "RestoreOut":
        """The job is the object's name within the tenant, so nothing has to be kept to find it again."""
        _, _, name = thawing.key.partition("/")
        job_id = RESTORE_JOB_PREFIX + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
        return cls(
            job_id=job_id,
            status="running",
            object=thawing.key,
            retry_after_seconds=thawing.retry_after_seconds,
        )


def read_restore_job(
    tenant: str, job_id: str, *, catalog: ArchiveCatalog, objects: ArchiveObjects
) -> RestoreOut:
    """Return how far the object is; raises NotFoundError for one that the tenant does not have."""
    key = f"{tenant}/{_object_name(job_id)}"
    kept = next((each for each in catalog.of(tenant) if each.key == key), None)
    if kept is None:
        raise NotFoundError("no such job")
    try:
        objects.reach(kept)
    except RestoreInProgressError as thawing:
        return RestoreOut.of(thawing)
    return RestoreOut(job_id=job_id, status="done", object=key, retry_after_seconds=0)


def _object_name(job_id: str) -> str:
    text = job_id.removeprefix(RESTORE_JOB_PREFIX)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise InvalidError("this is no job's id") from error
