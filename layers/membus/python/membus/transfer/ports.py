"""Ports of exports: jobs, and the files that they write."""

from collections.abc import Sequence
from typing import IO, Protocol

from membus.transfer.model import Export, ExportPart, StoredPart


class ExportJobs(Protocol):
    """A job of another tenant is as absent as one that never was."""

    def start_export(self, export: Export) -> Export:
        """Write the job, or return the one that the same request started before."""

    def get_export(self, tenant: str, job_id: str) -> Export:
        """Return a job; NotFoundError where there is none, or it expired with its file."""

    def save_progress(self, export: Export, part: ExportPart | None = None) -> Export:
        """Write the job with the part that was added, and return it at its next revision.

        Raises:
            ConflictError: another process advanced the job.
        """

    def list_parts(self, export: Export) -> list[ExportPart]:
        """Return the parts of the job's present attempt, in order."""


class ExportFiles(Protocol):
    """Files that are uploaded in parts of at least 5 MiB, but for the last; only complete ones can be read.

    Raises UnavailableError when the store does not answer.
    """

    def start_upload(self, place: str) -> str:
        """Return the id of a new upload."""

    def add_part(self, place: str, upload: str, number: int, data: bytes) -> StoredPart:
        """Store a part, in place of one of this number; ConflictError where the upload is gone."""

    def complete_upload(self, place: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Make the file of its parts; it replaces an older one.

        Raises:
            ConflictError: there is no such upload, or its parts are others than these.
        """

    def abort_upload(self, place: str, upload: str) -> None:
        """Remove the parts; an upload that is gone or complete is no error."""

    def download_file(self, place: str, into: IO[bytes]) -> None:
        """Write the file's bytes; NotFoundError where there is none."""

    def create_link(self, place: str, *, seconds: int) -> str:
        """Return an address at which anybody can download the file for so long, whether it exists or not."""
