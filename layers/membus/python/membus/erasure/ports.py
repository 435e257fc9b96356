"""Ports of the erasure ledger: erasures, legal holds and jobs."""

from typing import Protocol

from membus.core.erasure import Erasure, LegalHold, SubjectsBeingErased
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob


class Erasures(Protocol):
    """What every writer reads before it writes; UnavailableError where the ledger does not answer."""

    def find_erasure(self, owner: Owner) -> Erasure | None:
        """Return the last erasure of a user or of the whole tenant, whichever reaches further, if any."""

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        """Return which users of the tenant are being erased at this moment."""


class ErasureLedger(Erasures, Protocol):
    """The whole ledger, as an operator's command reads it."""

    def list_erased_subjects(self, tenant: str) -> frozenset[str]:
        """Return the subjects of all users that the tenant ever had erased."""


class ErasureJobs(Protocol):
    """Jobs and holds; a job of another tenant is as absent as one that never was."""

    def start_job(self, job: ErasureJob) -> ErasureJob:
        """Write the ledger's line and the job, or return the job that runs for the subject already.

        Raises:
            ConflictError: `legal_hold`, on the user or on the tenant.
        """

    def start_purge(self, job: ErasureJob) -> ErasureJob:
        """Write the job of a purge, or return the one of its id.

        Raises:
            ConflictError: `legal_hold`, or `erasing`: the user is being erased anyway.
        """

    def get_job(self, tenant: str, job_id: str) -> ErasureJob:
        """Return a job; NotFoundError where there is none."""

    def save_progress(self, job: ErasureJob) -> ErasureJob:
        """Write how far the job has come; ConflictError where another process has advanced it."""

    def finish_job(self, job: ErasureJob) -> ErasureJob:
        """Write the receipt, let reads and writes go on, forget the user's name; ConflictError as above."""

    def add_hold(self, hold: LegalHold) -> None:
        """Refuse erasures from now on; ConflictError (`erasing`) where one is running."""

    def remove_hold(self, tenant: str, user: str | None) -> None: ...

    def list_holds(self, tenant: str) -> list[LegalHold]: ...
