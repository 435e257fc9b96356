"""Erase a user from every store.

Once at once, once more when nobody is left who had not heard of it, then prove it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from membus.core.clock import Clock
from membus.core.erasure import WHOLE_TENANT, ErasableStore, ErasureCount, ErasureStep
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, ErasureReceipt, add_counts, copy_expiry_dates
from membus.erasure.ports import ErasureJobs

ERASE, ERASE_AGAIN, PROVE = range(3)
ROUNDS_MAX = 9
"""Three times from the beginning.

What is found after that is written by somebody who does not ask the ledger.
"""
SECONDS_MIN = 60
"""No step is begun with less time left than the slowest takes.

An object of 200 MB read, written and read back.
"""
WAIT_MAX = timedelta(minutes=15)
"""SQS holds a message back no longer."""


@dataclass(frozen=True)
class Eraser:
    """`settle` is how long the longest run lasts that had not heard of an erasure, and what it may still write.

    `kept_days` says by name how long copies live that no query reaches.
    """

    jobs: ErasureJobs
    stores: Sequence[ErasableStore]
    clock: Clock
    seconds_left: Callable[[], float]
    settle: timedelta
    kept_days: Mapping[str, int]

    def advance_job(self, job: ErasureJob) -> timedelta | None:
        """Go on with a job as long as there is time.

        Return when to come back, None where nothing is left to do.

        Raises:
            UnavailableError: a store is away; what is done stays done, and the same job may be advanced
                again.
        """
        if job.status == "failed":  # somebody asks for it again
            job = self._written(job, status="running", passed=0, store=0, cursor="", left={})
        try:
            while job.receipt is None and job.status != "failed":
                if wait := self._wait(job):
                    return wait
                if not self._time_left():
                    return timedelta()
                job = self._step(job)
        except ConflictError:
            return None  # somebody else goes on with it
        return None

    def _wait(self, job: ErasureJob) -> timedelta | None:
        if job.status != "settling" or job.settles_at is None or self.clock() >= job.settles_at:
            return None
        return min(job.settles_at - self.clock(), WAIT_MAX)

    def _step(self, job: ErasureJob) -> ErasureJob:
        """Let one store do its share and write down how far it came; the last one ends the round."""
        if job.store == len(self.stores):
            return self._next_round(job)
        store, owner, proving = (
            self.stores[job.store],
            Owner(tenant=job.tenant, user=job.user or WHOLE_TENANT),
            _proves(job),
        )
        tally = self._go(store, owner, job, proving=proving)
        further = {"store": job.store + (tally.cursor is None), "cursor": tally.cursor or ""}
        counted = (
            {"left": add_counts(job.left, tally.counts)}
            if proving
            else {"removed": add_counts(job.removed, tally.counts)}
        )
        return self._written(job, status="running", **further, **counted)

    def _go(self, store: ErasableStore, owner: Owner, job: ErasureJob, *, proving: bool) -> ErasureCount:
        step = ErasureStep(job.cursor, self._time_left, settled=job.passed % 3 == ERASE_AGAIN)
        return store.count(owner, step) if proving else store.erase(owner, step)

    def _next_round(self, job: ErasureJob) -> ErasureJob:
        anew = {"passed": job.passed + 1, "store": 0, "cursor": ""}
        if job.passed % 3 == ERASE:
            return self._written(job, status="settling", settles_at=self.clock() + self.settle, **anew)
        if not _proves(job):
            return self._written(job, left={}, **anew)
        if not any(job.left.values()):
            return self.jobs.finish_job(
                job.model_copy(update={"status": "done", "receipt": self._receipt(job)})
            )
        if job.passed + 1 >= ROUNDS_MAX:
            return self._written(job, status="failed")
        return self._written(job, **anew)

    def _receipt(self, job: ErasureJob) -> ErasureReceipt:
        now = self.clock()
        rotates = copy_expiry_dates(self.kept_days, erased_at=now)
        return ErasureReceipt(proven_at=now, left=job.left, rotates=rotates, final=max(rotates.values()))

    def _written(self, job: ErasureJob, **changes: object) -> ErasureJob:
        return self.jobs.save_progress(job.model_copy(update=changes | {"updated_at": self.clock()}))

    def _time_left(self) -> bool:
        return self.seconds_left() > SECONDS_MIN


def _proves(job: ErasureJob) -> bool:
    return job.passed % 3 == PROVE
