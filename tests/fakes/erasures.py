"""The erasure ledger and its jobs in dictionaries."""

from membus.core.erasure import WHOLE_TENANT, Erasure, LegalHold, SubjectsBeingErased, erasure_subject
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob

Key = tuple[str, str]


class InMemoryErasures:
    def __init__(self, *erasures: Erasure) -> None:
        self.lines: dict[Key, Erasure] = {(each.tenant, each.subject): each for each in erasures}
        self.jobs: dict[Key, ErasureJob] = {}
        self.asked = self.looked = 0
        self._held: dict[Key, LegalHold] = {}

    def find_erasure(self, owner: Owner) -> Erasure | None:
        self.asked += 1
        subjects = (WHOLE_TENANT, erasure_subject(owner.tenant, owner.user))
        found = [line for subject in subjects if (line := self.lines.get((owner.tenant, subject)))]
        if not found:
            return None
        furthest = max(found, key=lambda line: line.before)
        return furthest.model_copy(update={"running": any(line.running for line in found)})

    def list_erased_subjects(self, tenant: str) -> frozenset[str]:
        return frozenset(subject for whose, subject in self.lines if whose == tenant)

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        self.looked += 1
        running = {
            subject for (whose, subject), line in self.lines.items() if whose == tenant and line.running
        }
        jobs = [each for each in self.jobs.values() if each.tenant == tenant and each.subject in running]
        return SubjectsBeingErased(
            tenant=tenant, subjects=running, users={each.user for each in jobs if each.user}
        )

    def start_job(self, job: ErasureJob) -> ErasureJob:
        if known := self.jobs.get((job.tenant, job.job_id)):
            return known
        for each in self.jobs.values():
            same = (each.tenant, each.subject, each.kind) == (job.tenant, job.subject, job.kind)
            if same and each.receipt is None:
                return each
        if any((job.tenant, subject) in self._held for subject in (WHOLE_TENANT, job.subject)):
            raise ConflictError("a legal hold keeps this data: an operator may lift it", code="legal_hold")
        self.lines[job.tenant, job.subject] = Erasure(
            tenant=job.tenant, subject=job.subject, before=job.before, running=True
        )
        self.jobs[job.tenant, job.job_id] = job
        return job

    def start_purge(self, job: ErasureJob) -> ErasureJob:
        if known := self.jobs.get((job.tenant, job.job_id)):
            return known
        subjects = (WHOLE_TENANT, job.subject)
        if any((job.tenant, subject) in self._held for subject in subjects):
            raise ConflictError("a legal hold keeps this data: an operator may lift it", code="legal_hold")
        if not self.get_hidden(job.tenant).subjects.isdisjoint(subjects):
            raise ConflictError("this user is being erased", code="erasing")
        self.jobs[job.tenant, job.job_id] = job
        return job

    def get_job(self, tenant: str, job_id: str) -> ErasureJob:
        if (tenant, job_id) not in self.jobs:
            raise NotFoundError("no such job")
        return self.jobs[tenant, job_id]

    def save_progress(self, job: ErasureJob) -> ErasureJob:
        if self.get_job(job.tenant, job.job_id).revision != job.revision:
            raise ConflictError("somebody else goes on with this job")
        after = job.model_copy(update={"revision": job.revision + 1})
        self.jobs[job.tenant, job.job_id] = after
        return after

    def finish_job(self, job: ErasureJob) -> ErasureJob:
        after = self.save_progress(job.model_copy(update={"user": None, "events": (), "cursor": ""}))
        if job.kind == "purge":
            return after
        line = self.lines[job.tenant, job.subject]
        self.lines[job.tenant, job.subject] = line.model_copy(update={"running": False})
        return after

    def add_hold(self, hold: LegalHold) -> None:
        subject = erasure_subject(hold.tenant, hold.user)
        if subject in self.get_hidden(hold.tenant).subjects:
            raise ConflictError("this data is being erased already", code="erasing")
        self._held[hold.tenant, subject] = hold

    def remove_hold(self, tenant: str, user: str | None) -> None:
        self._held.pop((tenant, erasure_subject(tenant, user)), None)

    def list_holds(self, tenant: str) -> list[LegalHold]:
        return [hold for (whose, _), hold in self._held.items() if whose == tenant]
