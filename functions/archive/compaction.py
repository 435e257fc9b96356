"""Compaction: small objects are merged; a reader asks for each, and cold classes take none below 128 KB."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from functions.archive.schemas import ArchiveOutcome
from functions.archive.usecase import SECONDS_MIN, Archiver
from membus.core.errors import ConflictError, CorruptArchiveError, MembusError
from membus.episodes.archive.model import ArchiveMonth, ArchiveObject, mergeable_groups

MERGE_SECONDS = 240
"""The time to read, merge, write and compare 192 MB; no group is begun with less time left."""


@dataclass
class Compaction:
    """One run; a dry run counts what it would merge.

    A `patient` run leaves a few small objects beside a large one alone. An object is deleted only after the
    merged one was read back and took its place in the catalog.
    """

    archiver: Archiver
    patient: bool = False
    dry_run: bool = False
    outcome: ArchiveOutcome = field(default_factory=ArchiveOutcome)

    def compact_due(self, shards: Iterable[int], *, before: date) -> ArchiveOutcome:
        """Compact the due months of shards before the month of a day; a compacted month is no longer due."""
        for shard in shards:
            for month in self.archiver.catalog.list_due_months(shard, before=before):
                if not self._has_time():
                    return self.outcome
                self._compact_month(month)
        return self.outcome

    def compact_tenant(self, tenant: str, *, after: str = "") -> ArchiveOutcome:
        """Compact the past months of a tenant after a cursor; the outcome has the cursor of the last one."""
        this_month = self.archiver.clock().date().replace(day=1)
        months = {each.month for each in self.archiver.catalog.list_objects(tenant)}
        for month in sorted(months, key=lambda month: month.sort_key):
            if month.sort_key <= after or month.first >= this_month:
                continue
            if not self._has_time():
                break
            self._compact_month(month)
            if not self.outcome.unfinished:
                self.outcome.cursor = month.sort_key
        return self.outcome

    def _compact_month(self, month: ArchiveMonth) -> None:
        """Merge until nothing is left to merge: what ninety objects became may be small still."""
        catalog = self.archiver.catalog
        while groups := mergeable_groups(objects := catalog.list_month(month), patient=self.patient):
            merged = [self._merge_safely(group) for group in groups]
            if self.dry_run or not all(merged):
                return
        if not self.dry_run:
            catalog.mark_compacted(objects)

    def _merge_safely(self, group: list[ArchiveObject]) -> bool:
        """Return whether the group became one object."""
        if not self._has_time():
            return False
        try:
            merged = self.dry_run or self._merge_group(group)
        except MembusError as error:
            self.archiver.report_failure(group[0].object_key, error, self.outcome)
            return False
        if merged:
            self.outcome.objects += len(group)
            self.outcome.bytes += sum(each.bytes for each in group)
            self.outcome.episodes += sum(each.rows for each in group)
        return merged

    def _merge_group(self, group: list[ArchiveObject]) -> bool:
        """Merge the group, unless another compaction or an erasure changed it meanwhile."""
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
        # The merged object has the name of an old one that held the rows of all others.
        for old in (each for each in group if new is None or each.object_key != new.object_key):
            objects.delete_object(old)
            while catalog.has_object(old.object_key):
                # An archiver that resumed an interrupted run has added it again; the new one has its rows.
                catalog.replace_objects([old], None)
                objects.delete_object(old)
        return True

    def _has_time(self) -> bool:
        self.outcome.unfinished = self.archiver.seconds_left() < MERGE_SECONDS
        return not self.outcome.unfinished


def verify_objects(tenant: str, *, archiver: Archiver, after: str = "") -> ArchiveOutcome:
    """Read a tenant's objects after a cursor; name those that are missing, damaged or unlike their entry.

    The outcome's `cursor` is that of the last object. An object that is merged meanwhile is verified by that.
    """
    outcome = ArchiveOutcome()
    for each in sorted(archiver.catalog.list_objects(tenant), key=lambda each: each.sort_key):
        if each.sort_key <= after:
            continue
        if each.sort_key != outcome.cursor and archiver.seconds_left() < SECONDS_MIN:
            outcome.unfinished = True
            break
        _verify_object(each, archiver, outcome)
        outcome.cursor = each.sort_key
    return outcome


def _verify_object(entry: ArchiveObject, archiver: Archiver, outcome: ArchiveOutcome) -> None:
    try:
        archiver.objects.verify_object(entry)
    except MembusError as error:
        if archiver.catalog.has_object(entry.object_key):
            outcome.problems.append(f"{entry.object_key}: {error.code}: {error.detail}")
        return
    outcome.objects += 1
    outcome.bytes += entry.bytes
    outcome.episodes += entry.rows
