"""The wire format of a thaw: cold episodes that S3 brings back from a class which takes hours."""

import base64
from typing import Literal

from pydantic import BaseModel, Field

from membus.errors import InvalidError, NotFoundError, ThawingError
from membus.ports.cold import ColdCatalog, ColdObjects

JOB_PREFIX = "thaw-"


class ThawOut(BaseModel):
    """The same request answers once the job is done; asking earlier costs nothing and begins nothing anew."""

    job_id: str = Field(description="`GET /v1/jobs/{job_id}` tells how far it is")
    kind: Literal["thaw"] = "thaw"
    status: Literal["running", "done"]
    object: str
    retry_after_seconds: int

    @classmethod
    def of(cls, thawing: ThawingError) -> "ThawOut":
        """The job is the object's name within the tenant, so nothing has to be kept to find it again."""
        _, _, name = thawing.key.partition("/")
        job_id = JOB_PREFIX + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
        return cls(
            job_id=job_id,
            status="running",
            object=thawing.key,
            retry_after_seconds=thawing.retry_after_seconds,
        )


def thaw(tenant: str, job_id: str, *, catalog: ColdCatalog, objects: ColdObjects) -> ThawOut:
    """Return how far the object is; raises NotFoundError for one that the tenant does not have."""
    key = f"{tenant}/{_name(job_id)}"
    kept = next((each for each in catalog.of(tenant) if each.key == key), None)
    if kept is None:
        raise NotFoundError("no such job")
    try:
        objects.reach(kept)
    except ThawingError as thawing:
        return ThawOut.of(thawing)
    return ThawOut(job_id=job_id, status="done", object=key, retry_after_seconds=0)


def _name(job_id: str) -> str:
    text = job_id.removeprefix(JOB_PREFIX)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise InvalidError("this is no job's id") from error
