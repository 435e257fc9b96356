"""Move episodes to the cold tier: write, read back, vouch, and only then let the hot copy expire."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from functions.archive.schemas import ArchiveOutcome
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
"""Rows of one object: at 32 KB each, the largest that lie in an item, 160 MB in this process."""
SECONDS_MIN = 60
"""No group is begun with less time left than a large one takes."""
HOT_COPY_GRACE = timedelta(days=1)
"""The hot copy outlives its archiving by this at least: readers under way still find it."""


@dataclass(frozen=True)
class Archiver:
    """`hot_days` is how long an episode stays in DynamoDB; `tell` gets each failure's place and error."""

    waiting: UnarchivedEpisodes
    objects: ArchiveObjects
    catalog: CompactionCatalog
    gate: ErasureGuard
    hot_days: int
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    tell: Callable[[str, MembusError], None]

    def archive_shards(self, shards: Iterable[int], *, before: date, dry_run: bool = False) -> ArchiveOutcome:
        """Archive what waits in the shards and occurred before a day.

        A group that fails stays in the index and is taken up by the next run; its neighbours go on.
        """
        outcome = ArchiveOutcome()
        for shard in shards:
            for group in self.waiting.list_groups(shard, before=before, limit=ROWS_MAX):
                if self.seconds_left() < SECONDS_MIN:
                    outcome.unfinished = True
                    return outcome
                self._try(group, outcome, dry_run=dry_run)
        return outcome

    def _try(self, group: UnarchivedGroup, outcome: ArchiveOutcome, *, dry_run: bool) -> None:
        if dry_run:
            outcome.episodes += len(group.places)
            outcome.objects += 1
            return
        try:
            self._group(group, outcome)
        except MembusError as error:
            self._failed(group, error, outcome)
        except Exception as error:  # noqa: BLE001 - an item that nobody foresaw stays hot, and costs only its own group
            self._failed(group, MembusError(f"a defect: {type(error).__name__}"), outcome)

    def _failed(self, group: UnarchivedGroup, error: MembusError, outcome: ArchiveOutcome) -> None:
        outcome.problems.append(f"{group.partition}: {error.code}: {error.detail}")
        self.tell(group.partition, error)

    def _group(self, group: UnarchivedGroup, outcome: ArchiveOutcome) -> None:
        """Give one group its object. A crash behind any line leaves a copy too many, never one too few."""
        rows = [row for row in self.waiting.read_rows(group) if not self._erased(group.tenant, row)]
        if not rows:
            return
        expires_at = self._expiry(group.day)
        pack = pack_rows(group.tenant, group.agent, group.day, rows, hot_until=expires_at)
        kept = self._vouched(pack)
        gone = self.waiting.mark_archived(
            group, [row.place for row in pack.rows], key=kept.object_key, expires_at=expires_at
        )
        outcome.episodes += len(rows) - len(gone)
        outcome.objects += 1
        outcome.bytes += kept.bytes
        if gone:
            self._without(set(gone), pack, kept)

    def _vouched(self, pack: ArchivePack) -> ArchiveObject:
        """Keep the pack and name it in the catalog.

        Of a run that was cut short, the object may lie there already, and be merged with others between the
        two.
        """
        kept = self.objects.put_pack(pack)
        self.catalog.add_object(kept)
        try:
            self.objects.check_exists(kept)
        except CorruptArchiveError:
            if self.catalog.has_object(kept.object_key):
                self.objects.put_pack(pack)
        return kept

    def _erased(self, tenant: str, row: EpisodeRow) -> bool:
        """Whether the row is about to be removed: it must be in no object by then."""
        owner = Owner(tenant=tenant, user=row.user_id)
        return self.gate.is_erased(owner, RecordedEvent.model_validate_json(row.body).true_from)

    def _without(self, gone: set[str], pack: ArchivePack, kept: ArchiveObject) -> None:
        """Put an object without them in the place of one that holds episodes which were erased meanwhile."""
        left = tuple(row for row in pack.rows if row.place not in gone)
        new = self.objects.put_pack(pack.model_copy(update={"rows": left})) if left else None
        self.catalog.replace_objects([kept], new)
        self.objects.delete_object(kept)

    def _expiry(self, day: date) -> datetime:
        """Return when the hot copies of a day's episodes expire, to the whole day.

        Two archivers mean the same.
        """
        midnight = datetime.combine(day, time(), UTC) + timedelta(days=1 + self.hot_days)
        today = datetime.combine(self.now().date(), time(), UTC)
        return max(midnight, today + timedelta(days=1) + HOT_COPY_GRACE)
