"""The cold tier's objects and catalog in dictionaries."""

from collections.abc import Sequence
from datetime import date

from membus.core.errors import ConflictError, CorruptArchiveError
from membus.episodes.archive.model import ArchiveMonth, ArchiveObject, ArchivePack, EpisodeRow, pack_rows
from membus.episodes.model import EpisodeQuery, mark_before


class InMemoryArchiveObjects:
    def __init__(self) -> None:
        self.packs: dict[str, ArchivePack] = {}

    def put_pack(self, pack: ArchivePack) -> ArchiveObject:
        self.packs[pack.object_key] = pack
        return pack.to_object(size=sum(len(row.body) for row in pack.rows), sha256=pack.object_name)

    def read_rows(
        self, kept: ArchiveObject, wanted: EpisodeQuery, *, after: str, limit: int
    ) -> list[EpisodeRow]:
        end = mark_before(wanted.end)
        return [
            row
            for row in self._pack(kept).rows
            if after < row.place < end
            and wanted.user_id in {None, row.user_id}
            and wanted.session_id in {None, row.session_id}
        ][:limit]

    def merge_objects(
        self,
        objects: Sequence[ArchiveObject],
        *,
        without_user: str | None = None,
        without_events: Sequence[str] = (),
    ) -> ArchiveObject | None:
        first = objects[0]
        rows = [
            row
            for each in objects
            for row in self._pack(each).rows
            if row.user_id != without_user or (without_events and row.event_id not in without_events)
        ]
        if not rows:
            return None
        hot_until = min(each.hot_until for each in objects)
        return self.put_pack(pack_rows(first.tenant, first.agent, first.day, rows, hot_until=hot_until))

    def delete_object(self, kept: ArchiveObject) -> None:
        self.packs.pop(kept.object_key, None)

    def check_exists(self, kept: ArchiveObject) -> None:
        self._pack(kept)

    def verify_object(self, kept: ArchiveObject) -> None:
        self._pack(kept)

    def _pack(self, kept: ArchiveObject) -> ArchivePack:
        if kept.object_key not in self.packs:
            raise CorruptArchiveError("is missing", key=kept.object_key)
        return self.packs[kept.object_key]


class InMemoryArchiveCatalog:
    def __init__(self) -> None:
        self.entries: dict[str, ArchiveObject] = {}
        self.unseen: set[str] = set()

    def add_object(self, kept: ArchiveObject) -> None:
        self.entries[kept.object_key] = kept
        self.unseen.add(kept.object_key)

    def list_objects(
        self, tenant: str, agent: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[ArchiveObject]:
        return sorted(
            (
                each
                for each in self.entries.values()
                if each.tenant == tenant
                and agent in {None, each.agent}
                and (since is None or agent is None or each.day >= since.replace(day=1))
                and (until is None or agent is None or each.day <= until)
            ),
            key=lambda each: (each.agent, each.first),
        )

    def has_object(self, key: str) -> bool:
        return key in self.entries

    def list_month(self, month: ArchiveMonth) -> list[ArchiveObject]:
        return [each for each in self.list_objects(month.tenant, month.agent) if each.month == month]

    def list_due_months(self, shard: int, *, before: date) -> list[ArchiveMonth]:
        """Every agent lies in the first shard."""
        found = {self.entries[key].month for key in self.unseen if key in self.entries and shard == 0}
        return sorted(
            (each for each in found if each.first < before.replace(day=1)), key=lambda each: each.first
        )

    def mark_compacted(self, objects: Sequence[ArchiveObject]) -> None:
        self.unseen -= {each.object_key for each in objects}

    def replace_objects(self, old: Sequence[ArchiveObject], new: ArchiveObject | None) -> None:
        if not {each.object_key for each in old} <= self.entries.keys():
            raise ConflictError("an object is no longer in the catalog")
        for each in old:
            self.entries.pop(each.object_key, None)
        if new:
            self.add_object(new)
