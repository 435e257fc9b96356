"""Reply jobs in a dictionary, beside the conversations they belong to."""

from membus.conversations.reply_jobs import JobClaim, Lease, ReplyJob, RequestRef, StepProgress
from membus.core.clock import Clock
from membus.core.errors import NotFoundError


class InMemoryReplyJobs:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jobs: dict[RequestRef, ReplyJob] = {}
        self._leases: dict[RequestRef, Lease] = {}
        self.kept: dict[RequestRef, StepProgress] = {}

    def claim_job(self, request: RequestRef, job: ReplyJob, lease: Lease | None = None) -> JobClaim:
        before = self.jobs.get(request)
        leased = self._is_leased(request, lease.worker if lease else "")
        in_force = before and before.until > self._clock() and before.message_id != job.message_id
        if before and (leased or in_force):
            return JobClaim(before, granted=False, repeated=True)
        self._write(request, job, lease)
        kept = self.kept.get(request)
        return JobClaim(
            job, granted=True, repeated=before is not None, progress=kept.digest if kept else None
        )

    def update_job(self, request: RequestRef, job: ReplyJob, *, worker: str = "") -> None:
        before = self.jobs.get(request)
        if before and before.message_id == job.message_id and not self._is_leased(request, worker):
            self._write(request, job, None)

    def _is_leased(self, request: RequestRef, worker: str) -> bool:
        held = self._leases.get(request)
        return held is not None and held.until > self._clock() and held.worker != worker

    def save_progress(self, request: RequestRef, progress: StepProgress) -> None:
        if request in self.jobs:
            self.kept[request] = progress

    def get_progress(self, request: RequestRef, digest: str) -> StepProgress | None:
        kept = self.kept.get(request)
        return kept if kept and kept.digest == digest else None

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        for request, job in self.jobs.items():
            if (request.tenant, request.conversation_id, job.message_id) == (
                tenant,
                conversation_id,
                message_id,
            ):
                return job
        raise NotFoundError("no such message")

    def _write(self, request: RequestRef, job: ReplyJob, lease: Lease | None) -> None:
        self.jobs[request] = job
        self._leases.pop(request, None)
        if lease:
            self._leases[request] = lease
