"""Archiving: an object is written, read back and named in the catalog before hot copies expire."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from functions.archive.schemas import ArchiveOutcome
from membus.core.clock import Clock
from membus.core.errors import CorruptArchiveError, MembusError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.episodes.archive.model import ArchiveObject, ArchivePack, EpisodeRow, pack_rows
from membus.episodes.archive.ports import (
    ArchiveObjects,
    CompactionCatalog,
    UnarchivedEpisodes,
    UnarchivedGroup,
)
from membus.erasure.guard import ErasureGuard

ROWS_MAX = 5_000
"""Rows of one object: 160 MB in this process where each has the 32 KB that an item takes."""
SECONDS_MIN = 60
"""The time that a large group takes; none is begun with less time left."""
HOT_COPY_GRACE = timedelta(days=1)
"""Readers under way still find the hot copy for so long after its archiving."""


@dataclass(frozen=True)
class Archiver:
    """`hot_days` is how long an episode stays in DynamoDB; `on_failure` gets a failure's place and error."""

    unarchived: UnarchivedEpisodes
    objects: ArchiveObjects
    catalog: CompactionCatalog
    guard: ErasureGuard
    hot_days: int
    clock: Clock
    seconds_left: Callable[[], float]
    on_failure: Callable[[str, MembusError], None]

    def archive_shards(self, shards: Iterable[int], *, before: date, dry_run: bool = False) -> ArchiveOutcome:
        """Archive the episodes of shards that occurred before a day.

        A group that fails stays unarchived for the next run; the others go on.
        """
        outcome = ArchiveOutcome()
        for shard in shards:
            for group in self.unarchived.list_groups(shard, before=before, limit=ROWS_MAX):
                if self.seconds_left() < SECONDS_MIN:
                    outcome.unfinished = True
                    return outcome
                if dry_run:
                    outcome.episodes += len(group.places)
                    outcome.objects += 1
                else:
                    self._archive_safely(group, outcome)
        return outcome

    def _archive_safely(self, group: UnarchivedGroup, outcome: ArchiveOutcome) -> None:
        try:
            self._archive_group(group, outcome)
        except MembusError as error:
            self.report_failure(group.partition, error, outcome)
        except Exception as error:  # noqa: BLE001 - an unexpected item costs only its own group
            defect = MembusError(f"a defect: {type(error).__name__}")
            self.report_failure(group.partition, defect, outcome)

    def report_failure(self, place: str, error: MembusError, outcome: ArchiveOutcome) -> None:
        outcome.problems.append(f"{place}: {error.code}: {error.detail}")
        self.on_failure(place, error)

    def _archive_group(self, group: UnarchivedGroup, outcome: ArchiveOutcome) -> None:
        """Write the object of one group. A crash after any line leaves a copy too many, never one too few."""
        rows = [row for row in self.unarchived.read_rows(group) if not self._is_erased(group.tenant, row)]
        if not rows:
            return
        expires_at = self._expiry(group.day)
        pack = pack_rows(group.tenant, group.agent, group.day, rows, hot_until=expires_at)
        stored = self._store_pack(pack)
        gone = self.unarchived.mark_archived(
            group, [row.place for row in pack.rows], key=stored.object_key, expires_at=expires_at
        )
        outcome.episodes += len(rows) - len(gone)
        outcome.objects += 1
        outcome.bytes += stored.bytes
        if gone:
            self._remove_rows(set(gone), pack, stored)

    def _store_pack(self, pack: ArchivePack) -> ArchiveObject:
        """Store the pack and name it in the catalog.

        After a run that was cut short the object may exist, and be merged with others between the two steps.
        """
        stored = self.objects.put_pack(pack)
        self.catalog.add_object(stored)
        try:
            self.objects.check_exists(stored)
        except CorruptArchiveError:
            if self.catalog.has_object(stored.object_key):
                self.objects.put_pack(pack)
        return stored

    def _is_erased(self, tenant: str, row: EpisodeRow) -> bool:
        owner = Owner(tenant=tenant, user=row.user_id)
        return self.guard.is_erased(owner, RecordedEvent.model_validate_json(row.body).true_from)

    def _remove_rows(self, gone: set[str], pack: ArchivePack, stored: ArchiveObject) -> None:
        """Replace an object by one without the episodes that were erased meanwhile."""
        left = tuple(row for row in pack.rows if row.place not in gone)
        new = self.objects.put_pack(pack.model_copy(update={"rows": left})) if left else None
        self.catalog.replace_objects([stored], new)
        self.objects.delete_object(stored)

    def _expiry(self, day: date) -> datetime:
        """Return when a day's hot copies expire, at midnight, so that two archivers name one moment."""
        midnight = datetime.combine(day, time(), UTC) + timedelta(days=1 + self.hot_days)
        today = datetime.combine(self.clock().date(), time(), UTC)
        return max(midnight, today + timedelta(days=1) + HOT_COPY_GRACE)
