"""The cold tier's parts.

What waits to be archived, the objects that hold it, and the catalog that vouches for them.

The archive as one table that a statement of a stranger may ask.
"""

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
    """Episodes of one partition, hence of one agent and day, that have no cold copy yet."""

    tenant: str
    agent: str
    day: date
    partition: str
    places: tuple[str, ...]


class UnarchivedEpisodes(Protocol):
    """Raises UnavailableError when the table does not answer."""

    def list_groups(self, shard: int, *, before: date, limit: int) -> Iterator[UnarchivedGroup]:
        """Yield what of a shard occurred before a day, at most `limit` episodes at a time."""

    def read_rows(self, waiting: UnarchivedGroup) -> list[EpisodeRow]:
        """Return the episodes, without those that were erased or archived meanwhile."""

    def mark_archived(
        self, waiting: UnarchivedGroup, places: Sequence[str], *, key: str, expires_at: datetime
    ) -> list[str]:
        """Name the verified copy on the hot episodes and let them expire; returns the places that are gone.

        An episode that was stamped before keeps its first stamp.
        """


class ArchiveObjects(Protocol):
    """Parquet objects.

    Raises:
        ArchiveError: an object is missing or damaged; the error names it.
        ThawingError: an object lies in a class that takes hours to answer; it has been asked for.
        UnavailableError: the store does not answer.
    """

    def put_pack(self, pack: ArchivePack) -> ArchiveObject:
        """Write the pack unless it is there, read it back and compare every row; then vouch for it."""

    def read_rows(
        self, kept: ArchiveObject, wanted: EpisodeQuery, *, after: str, limit: int
    ) -> list[EpisodeRow]:
        """Return the object's first `limit` rows that are wanted and lie behind a place, in order."""

    def merge_objects(
        self, objects: Sequence[ArchiveObject], *, without_user: str | None = None
    ) -> ArchiveObject | None:
        """Write one object with the rows of several, each place once and none of that user's, and vouch for it.

        Returns None when no row is left.
        """

    def delete_object(self, kept: ArchiveObject) -> None:
        """Remove the object's current version."""

    def check_exists(self, kept: ArchiveObject) -> None:
        """Ask for one byte: whether the object is there, in a class that answers at once."""

    def verify_object(self, kept: ArchiveObject) -> None:
        """Read the object and compare it with its entry, whatever this process remembers of it."""


class ArchiveCatalog(Protocol):
    """Which objects there are. An object that is not in the catalog does not exist for readers."""

    def add_object(self, kept: ArchiveObject) -> None:
        """Name an object; its month is due to be looked at for what can be merged."""

    def list_objects(
        self, tenant: str, agent: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[ArchiveObject]:
        """Return the objects of an agent, or all agents, in time order.

        Of an agent, what may hold a day of a span.
        """

    def has_object(self, key: str) -> bool:
        """Whether there is such an object now.

        One that is gone from both may have been merged with others.
        """

    def replace_objects(self, old: Sequence[ArchiveObject], new: ArchiveObject | None) -> None:
        """Put one object in the place of others, all at once; its month is due to be looked at.

        Raises:
            ConflictError: one of the old ones is no longer in the catalog.
        """


class CompactionCatalog(ArchiveCatalog, Protocol):
    """The catalog as who merges sees it."""

    def list_month(self, month: ArchiveMonth) -> list[ArchiveObject]:
        """Return the objects that begin in a month, in time order."""

    def list_due_months(self, shard: int, *, before: date) -> list[ArchiveMonth]:
        """Return the months of a shard, before that of a day, of which an object was not looked at.

        The oldest first.

        What it reads follows what was written since the last look, not what is stored.
        """

    def mark_compacted(self, objects: Sequence[ArchiveObject]) -> None:
        """Note that these need no further look; one that is gone is none of anybody's business."""


class ArchiveQueries(Protocol):
    def run_query(self, question: ArchiveQuery) -> QueryResult:
        """Return what one SELECT over the tenant's archived episodes gives, or over one user's.

        Raises:
            InvalidError: `sql_rejected`, nothing was run; `sql_failed`, the engine says why; `too_much` to
                look at.
            UnavailableError: `sql_stopped`, it took more time or memory than it may; or the archive is away.
            ArchiveError, ThawingError: as ColdObjects.
        """
