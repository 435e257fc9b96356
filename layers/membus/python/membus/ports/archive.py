"""The archive as one table that a statement of a stranger may ask."""

from typing import Protocol

from membus.domain.archive_query import ArchiveQuery, QueryResult


class ArchiveQueries(Protocol):
    def answer(self, question: ArchiveQuery) -> QueryResult:
        """Return what one SELECT over the tenant's archived episodes gives, or over one user's.

        Raises:
            InvalidError: `sql_rejected`, nothing was run; `sql_failed`, the engine says why; `too_much` to
                look at.
            UnavailableError: `sql_stopped`, it took more time or memory than it may; or the archive is away.
            ArchiveError, ThawingError: as ColdObjects.
        """
