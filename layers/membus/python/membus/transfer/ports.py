"""Export jobs and the archives that they make."""

from collections.abc import Sequence
from typing import IO, Protocol

from membus.transfer.model import Export, ExportPart, StoredPart


class ExportJobs(Protocol):
    """A job of another tenant is as absent as one that never was."""

    def start_export(self, export: Export) -> Export:
        """Write the job, or return the one that the same request began before."""

    def get_export(self, tenant: str, job_id: str) -> Export:
        """Return a job; NotFoundError where there is none, or it was forgotten with its archive."""

    def save_progress(self, export: Export, part: ExportPart | None = None) -> Export:
        """Write how far the job came, with the part that took it there, and return it at its next revision.

        Raises:
            ConflictError: somebody else took it further.
        """

    def list_parts(self, export: Export) -> list[ExportPart]:
        """Return the parts of the job's present attempt, in order."""


class ExportFiles(Protocol):
    """Archives are put together of parts of at least 5 MiB, but for the last.

    Nobody sees one that is not whole.

    Raises UnavailableError when the store does not answer.
    """

    def start_upload(self, place: str) -> str:
        """Return the id of a new upload."""

    def add_part(self, place: str, upload: str, number: int, data: bytes) -> StoredPart:
        """Keep a part, in place of one of this number.

        ConflictError where there is no such upload any more.
        """

    def complete_upload(self, place: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Put the archive together; what lay there before is replaced.

        Raises:
            ConflictError: there is no such upload, or its parts are others than these.
        """

    def abort_upload(self, place: str, upload: str) -> None:
        """Remove the parts; an upload that is gone or put together is fine."""

    def download_file(self, place: str, into: IO[bytes]) -> None:
        """Write the file that lies there; NotFoundError where none does."""

    def create_link(self, place: str, *, seconds: int) -> str:
        """Return an address at which anybody can fetch the file for so long, whether it is there or not."""
