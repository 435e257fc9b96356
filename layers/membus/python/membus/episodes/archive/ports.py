"""Ports of the archive: unarchived episodes, Parquet objects, their catalog, and queries in SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from membus.episodes.archive.model import (
    ArchiveMonth,
    ArchiveObject,
    ArchivePack,
    ArchiveQuery,
    EpisodeRow,
    QueryResult,
)
from membus.episodes.model import EpisodeQuery


@dataclass(frozen=True)
class UnarchivedGroup:
    """Unarchived episodes of one partition, hence of one agent and day."""

    tenant: str
    agent: str
    day: date
    partition: str
    places: tuple[str, ...]


class UnarchivedEpisodes(Protocol):
    """Raises UnavailableError when the table does not answer."""

    def list_groups(self, shard: int, *, before: date, limit: int) -> Iterator[UnarchivedGroup]:
        """Yield the groups of a shard that occurred before a day, at most `limit` episodes in each."""

    def read_rows(self, waiting: UnarchivedGroup) -> list[EpisodeRow]:
        """Return the episodes, without those that were erased or archived meanwhile."""

    def mark_archived(
        self, waiting: UnarchivedGroup, places: Sequence[str], *, key: str, expires_at: datetime
    ) -> list[str]:
        """Write the archive object's key and an expiry on the hot episodes; return places that are gone.

        An episode that was marked before keeps its first mark.
        """


class ArchiveObjects(Protocol):
    """Parquet objects.

    Raises:
        CorruptArchiveError: an object is missing or damaged; the error names it.
        RestoreInProgressError: an object's storage class takes hours to answer; its restore was requested.
        UnavailableError: the store does not answer.
    """

    def put_pack(self, pack: ArchivePack) -> ArchiveObject:
        """Write the pack unless it exists, read it back, compare every row, and return its entry."""

    def read_rows(
        self, kept: ArchiveObject, wanted: EpisodeQuery, *, after: str, limit: int
    ) -> list[EpisodeRow]:
        """Return the first `limit` rows that match and come after a place, in order."""

    def merge_objects(
        self,
        objects: Sequence[ArchiveObject],
        *,
        without_user: str | None = None,
        without_events: Sequence[str] = (),
    ) -> ArchiveObject | None:
        """Write one verified object with the rows of several, each place once, and none of `without_user`.

        Returns None when no row is left.
        """

    def delete_object(self, kept: ArchiveObject) -> None:
        """Delete the object's current version."""

    def check_exists(self, kept: ArchiveObject) -> None:
        """Read one byte: whether the object exists in a storage class that answers at once."""

    def verify_object(self, kept: ArchiveObject) -> None:
        """Read the object from the store and compare it with its entry."""


class ArchiveCatalog(Protocol):
    """The objects that exist for readers: one that is not in the catalog does not."""

    def add_object(self, kept: ArchiveObject) -> None:
        """Add an object; its month becomes due for compaction."""

    def list_objects(
        self, tenant: str, agent: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[ArchiveObject]:
        """Return the objects of an agent, or of all agents, in time order.

        `since` and `until` keep those of the agent that may hold one of these days.
        """

    def has_object(self, key: str) -> bool:
        """Whether the catalog has the object; one that is gone may have been merged with others."""

    def replace_objects(self, old: Sequence[ArchiveObject], new: ArchiveObject | None) -> None:
        """Replace objects by another in one transaction; its month becomes due for compaction.

        Raises:
            ConflictError: one of the old ones is no longer in the catalog.
        """


class CompactionCatalog(ArchiveCatalog, Protocol):
    """The catalog as compaction sees it: months that are due because an object was added to them."""

    def list_month(self, month: ArchiveMonth) -> list[ArchiveObject]:
        """Return the objects that begin in a month, in time order."""

    def list_due_months(self, shard: int, *, before: date) -> list[ArchiveMonth]:
        """Return the due months of a shard before the month of a day, oldest first.

        The cost follows what was added since the last compaction, not what is stored.
        """

    def mark_compacted(self, objects: Sequence[ArchiveObject]) -> None:
        """Note that these objects are no reason for compaction any more; one that is gone is ignored."""


class ArchiveQueries(Protocol):
    def run_query(self, question: ArchiveQuery) -> QueryResult:
        """Return the result of a query.

        Raises:
            InvalidError: `sql_rejected` before anything ran, `sql_failed` in the engine's words, or
                `too_much` archived data in the days asked for.
            UnavailableError: `sql_stopped`, a limit on time or memory was reached; or the store is away.
            CorruptArchiveError, RestoreInProgressError: as in ArchiveObjects.
        """
