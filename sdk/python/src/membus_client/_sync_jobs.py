"""Jobs. Made by `make_sync.py`."""

import time
from typing import TYPE_CHECKING

from membus_client import _models as models
from membus_client._errors import WaitTimeoutError
from membus_client._transport import POLL_SECONDS, request

if TYPE_CHECKING:
    from membus_client._sync import Membus

ENDED_JOBS = frozenset({"done", "failed"})
JOB_SECONDS = 600.0


class Jobs:
    """Erasures and exports, which take a while."""

    def __init__(self, client: "Membus") -> None:
        self._client = client

    def get(self, job_id: str) -> models.Job:
        return self._client.call(request("GET", "jobs", job_id), models.Job)

    def wait(self, job: models.Job | str, *, timeout: float = JOB_SECONDS) -> models.Job:
        """Wait until a job has ended, and return it with its receipt or its address."""
        job_id, deadline = job if isinstance(job, str) else job.job_id, time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.get(job_id)
            if found.status in ENDED_JOBS:
                return found
            time.sleep(POLL_SECONDS)
        raise WaitTimeoutError(f"job {job_id} did not end within {timeout:g} seconds")
