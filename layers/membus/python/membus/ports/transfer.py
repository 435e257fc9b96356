"""Export jobs and the archives that they make."""

from typing import IO, Protocol

from membus.domain.transfer import Export


class Exports(Protocol):
    """A job of another tenant is as absent as one that never was."""

    def begin(self, export: Export) -> Export:
        """Write the job, or return the one that the same request began before."""

    def export(self, tenant: str, job_id: str) -> Export:
        """Return a job; NotFoundError where there is none, or it was forgotten with its archive."""

    def end(self, export: Export) -> None:
        """Write how the job ended."""


class Archives(Protocol):
    """Raises UnavailableError when the store does not answer."""

    def keep(self, place: str, file: IO[bytes]) -> None:
        """Keep the file from its beginning; what lay there before is replaced."""

    def fetch(self, place: str, into: IO[bytes]) -> None:
        """Write the file that lies there; NotFoundError where none does."""

    def link(self, place: str, *, seconds: int) -> str:
        """Return an address at which anybody can fetch the file for so long, whether it is there or not."""
