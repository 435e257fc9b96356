"""Erasure of a user from every store: at once, again when no old writer is left, then proved by counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from membus.core.clock import Clock
from membus.core.erasure import WHOLE_TENANT, ErasableStore, ErasureStep
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, ErasureReceipt, add_counts, copy_expiry_dates
from membus.erasure.ports import ErasureJobs

ERASE, ERASE_AGAIN, PROVE = range(3)
ROUNDS_MAX = 9
"""Three times all rounds: what is found after that comes from a writer that does not ask the ledger."""
SECONDS_MIN = 60
"""The time of the slowest step, which rewrites an object of 200 MB; none is begun with less left."""
WAIT_MAX = timedelta(minutes=15)
"""The longest delay of an SQS message."""


@dataclass(frozen=True)
class Eraser:
    """`settle_time` is how long writers that have not heard of an erasure may still run and write.

    `kept_days` says by name for how many days copies are kept that no query reaches.
    """

    jobs: ErasureJobs
    stores: Sequence[ErasableStore]
    clock: Clock
    seconds_left: Callable[[], float]
    settle_time: timedelta
    kept_days: Mapping[str, int]

    def advance_job(self, job: ErasureJob) -> timedelta | None:
        """Advance a job as long as there is time; return when to continue, None where nothing is left to do.

        Raises:
            UnavailableError: a store is away; what is erased stays so, and the job may be advanced again.
        """
        if job.status == "failed":  # it was requested again
            job = self._save(job, status="running", passed=0, store=0, cursor="", left={})
        try:
            while job.receipt is None and job.status != "failed":
                if job.status == "settling" and job.settles_at and (now := self.clock()) < job.settles_at:
                    return min(job.settles_at - now, WAIT_MAX)
                if not self._has_time():
                    return timedelta()
                job = self._advance_step(job)
        except ConflictError:
            return None  # another process advances it
        return None

    def _advance_step(self, job: ErasureJob) -> ErasureJob:
        """Let one store do its share and save its cursor; the last one ends the round."""
        if job.store == len(self.stores):
            return self._end_round(job)
        store, owner = self.stores[job.store], Owner(tenant=job.tenant, user=job.user or WHOLE_TENANT)
        step = ErasureStep(job.cursor, self._has_time, settled=job.passed % 3 == ERASE_AGAIN)
        if job.passed % 3 == PROVE:
            count = store.count(owner, step)
            counted = {"left": add_counts(job.left, count.counts)}
        else:
            count = store.erase(owner, step)
            counted = {"removed": add_counts(job.removed, count.counts)}
        further = {"store": job.store + (count.cursor is None), "cursor": count.cursor or ""}
        return self._save(job, status="running", **further, **counted)

    def _end_round(self, job: ErasureJob) -> ErasureJob:
        next_round = {"passed": job.passed + 1, "store": 0, "cursor": ""}
        if job.passed % 3 == ERASE:
            settles_at = self.clock() + self.settle_time
            return self._save(job, status="settling", settles_at=settles_at, **next_round)
        if job.passed % 3 == ERASE_AGAIN:
            return self._save(job, left={}, **next_round)
        if not any(job.left.values()):
            return self.jobs.finish_job(
                job.model_copy(update={"status": "done", "receipt": self._make_receipt(job)})
            )
        if job.passed + 1 >= ROUNDS_MAX:
            return self._save(job, status="failed")
        return self._save(job, **next_round)

    def _make_receipt(self, job: ErasureJob) -> ErasureReceipt:
        now = self.clock()
        rotates = copy_expiry_dates(self.kept_days, erased_at=now)
        return ErasureReceipt(proven_at=now, left=job.left, rotates=rotates, final=max(rotates.values()))

    def _save(self, job: ErasureJob, **changes: object) -> ErasureJob:
        return self.jobs.save_progress(job.model_copy(update=changes | {"updated_at": self.clock()}))

    def _has_time(self) -> bool:
        return self.seconds_left() > SECONDS_MIN
