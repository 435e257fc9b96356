"""Merge small objects: colder classes take none below 128 KB, and a reader asks for each one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from functions.archive.schemas import ArchiveOutcome
from functions.archive.usecase import SECONDS_MIN, Archiver
from membus.core.errors import ConflictError, CorruptArchiveError, MembusError
from membus.episodes.archive.model import ArchiveMonth, ArchiveObject, mergeable_groups

MERGE_SECONDS = 240
"""No group is begun with less time left.

192 MB fetched, merged on a disk, written, read back and compared.
"""


@dataclass
class Compaction:
    """One run. `patient` leaves a few late episodes alone beside a large object.

    A dry run counts what it would merge.

    Nothing is removed before the merged object was read back and the catalog names it instead of the old
    ones.
    """

    archiver: Archiver
    patient: bool = False
    dry_run: bool = False
    outcome: ArchiveOutcome = field(default_factory=ArchiveOutcome)

    def compact_due(self, shards: Iterable[int], *, before: date) -> ArchiveOutcome:
        """Look at the months before that of a day which something was written to since they were looked at last.

        A month that is done leaves the list, so a run that is cut short is gone on with by the next.
        """
        for month in (
            month for shard in shards for month in self.archiver.catalog.list_due_months(shard, before=before)
        ):
            if not self._in_time():
                break
            self._month(month)
        return self.outcome

    def compact_tenant(self, tenant: str, *, after: str = "") -> ArchiveOutcome:
        """Look at each agent's months that are over, those behind `after` alone.

        `cursor` is the last that is done.
        """
        this_month = self.archiver.now().date().replace(day=1)
        for month in sorted(
            {each.month for each in self.archiver.catalog.list_objects(tenant)},
            key=lambda month: month.sort_key,
        ):
            if month.sort_key <= after or month.first >= this_month:
                continue
            if not self._in_time():
                break
            self._month(month)
            if not self.outcome.unfinished:
                self.outcome.cursor = month.sort_key
        return self.outcome

    def _month(self, month: ArchiveMonth) -> None:
        """Merge until nothing is left to merge: what ninety objects have become may be small still."""
        while groups := mergeable_groups(
            objects := self.archiver.catalog.list_month(month), patient=self.patient
        ):
            done = [self._group(group) for group in groups]
            if self.dry_run or not all(done):
                return
        if not self.dry_run:
            self.archiver.catalog.mark_compacted(objects)

    def _group(self, group: list[ArchiveObject]) -> bool:
        """Return whether the group became one object."""
        if not self._in_time():
            return False
        try:
            done = self.dry_run or self._merged(group)
        except MembusError as error:
            self._failed(group[0].object_key, error)
            return False
        if done:
            self.outcome.objects += len(group)
            self.outcome.bytes += sum(each.bytes for each in group)
            self.outcome.episodes += sum(each.rows for each in group)
        return done

    def _merged(self, group: list[ArchiveObject]) -> bool:
        """Merge, unless somebody was faster: another compaction, or an erasure, whose word stands."""
        objects, catalog = self.archiver.objects, self.archiver.catalog
        try:
            new = objects.merge_objects(group)
        except CorruptArchiveError as missing:
            if catalog.has_object(missing.key):
                raise
            return False
        try:
            catalog.replace_objects(group, new)
        except ConflictError:
            if new is not None and not catalog.has_object(new.object_key):
                objects.delete_object(new)
            return False
        # The merged object has the name of one of them where that one held all the others' rows.
        for old in (each for each in group if new is None or each.object_key != new.object_key):
            objects.delete_object(old)
            while catalog.has_object(old.object_key):
                # An archiver that takes up what was cut short has vouched for it again; its rows are in the
                # new one.
                catalog.replace_objects([old], None)
                objects.delete_object(old)
        return True

    def _in_time(self) -> bool:
        self.outcome.unfinished = self.archiver.seconds_left() < MERGE_SECONDS
        return not self.outcome.unfinished

    def _failed(self, key: str, error: MembusError) -> None:
        self.outcome.problems.append(f"{key}: {error.code}: {error.detail}")
        self.archiver.tell(key, error)


def verify_objects(tenant: str, *, archiver: Archiver, after: str = "") -> ArchiveOutcome:
    """Read a tenant's objects behind `after` and name those that are missing, damaged or not what the catalog says.

    `cursor` is the place of the last one that was read. What is merged meanwhile is read back as it is
    written.
    """
    outcome = ArchiveOutcome()
    for each in sorted(archiver.catalog.list_objects(tenant), key=lambda each: each.sort_key):
        if each.sort_key <= after:
            continue
        if each.sort_key != outcome.cursor and archiver.seconds_left() < SECONDS_MIN:
            outcome.unfinished = True
            break
        _verify(each, archiver, outcome)
        outcome.cursor = each.sort_key
    return outcome


def _verify(kept: ArchiveObject, archiver: Archiver, outcome: ArchiveOutcome) -> None:
    try:
        archiver.objects.verify_object(kept)
    except MembusError as error:
        if archiver.catalog.has_object(kept.object_key):
            outcome.problems.append(f"{kept.object_key}: {error.code}: {error.detail}")
        return
    outcome.objects += 1
    outcome.bytes += kept.bytes
    outcome.episodes += kept.rows
