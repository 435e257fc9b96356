"""Jobs. `_sync_jobs.py` is made from this file by `make_sync.py`: change this one."""

import asyncio
import time
from typing import TYPE_CHECKING

from membus_client import _models as models
from membus_client._errors import WaitTimeoutError
from membus_client._transport import POLL_SECONDS, request

if TYPE_CHECKING:
    from membus_client._async import AsyncMembus

ENDED_JOBS = frozenset({"done", "failed"})
JOB_SECONDS = 600.0


class AsyncJobs:
    """Erasures and exports, which take a while."""

    def __init__(self, client: "AsyncMembus") -> None:
        self._client = client

    async def get(self, job_id: str) -> models.Job:
        return await self._client.call(request("GET", "jobs", job_id), models.Job)

    async def wait(self, job: models.Job | str, *, timeout: float = JOB_SECONDS) -> models.Job:
        """Wait until a job has ended, and return it with its receipt or its address."""
        job_id, deadline = job if isinstance(job, str) else job.job_id, time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = await self.get(job_id)
            if found.status in ENDED_JOBS:
                return found
            await asyncio.sleep(POLL_SECONDS)
        raise WaitTimeoutError(f"job {job_id} did not end within {timeout:g} seconds")
