"""The archive's catalog in DynamoDB, and the episodes that wait for their cold copy.

The catalog has one entry for each object, written after the object was verified: what it names exists, and
an object that is gone although it is named here is an error, not a gap. Objects span a month at most, so the
ones that may hold a day begin in its month. An entry that no compaction has looked at stands in the sparse
index `unarchived`, too.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING
from zlib import crc32

from boto3.dynamodb.conditions import ConditionBase, Key

from membus.aws.dynamodb.errors import conflicting_item
from membus.aws.dynamodb.keys import (
    AgentDay,
    ItemKey,
    catalog_pk,
    parse_day_key,
    tenant_of,
    unarchived_pk,
    uncompacted_pk,
)
from membus.aws.dynamodb.table import (
    PRESENT,
    DynamoTable,
    Item,
    delete_item,
    put_item,
    read_body,
    update_item,
    within,
)
from membus.core.errors import ConflictError
from membus.episodes.archive.model import ArchiveMonth, ArchiveObject, EpisodeRow
from membus.episodes.archive.ports import UnarchivedGroup
from membus.episodes.dynamodb import ARCHIVE_SHARDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

AFTER_HASH = "$"
"""The character after `#`, in which all keys of an agent, and of a day, end."""
READING = "reading the archive's catalog"


class DynamoArchiveCatalog:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def add_object(self, kept: ArchiveObject) -> None:
        self._table.write(put_item(_item(kept)), doing="writing the archive's catalog")

    def list_objects(
        self, tenant: str, agent: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[ArchiveObject]:
        if agent is None:
            return self._objects(within(catalog_pk(tenant)))
        first = f"{since.replace(day=1):%Y-%m-%d}" if since else ""
        last = f"#{until:%Y-%m-%d}" if until else ""
        span = Key("sk").between(f"{agent}#{first}", f"{agent}{last}{AFTER_HASH}")
        return self._objects(within(catalog_pk(tenant)) & span)

    def list_month(self, month: ArchiveMonth) -> list[ArchiveObject]:
        return self._objects(within(catalog_pk(month.tenant), f"{month.agent}#{month.first:%Y-%m}-"))

    def has_object(self, key: str) -> bool:
        folder, day, name = key.removesuffix(".parquet").rsplit("/", 2)
        tenant, _, agent = folder.partition("/")
        where = {"pk": catalog_pk(tenant), "sk": f"{agent}#{day}#{name}"}
        return self._table.get(where, doing=READING, ProjectionExpression="pk") is not None

    def replace_objects(self, old: Sequence[ArchiveObject], new: ArchiveObject | None) -> None:
        gone = [each for each in old if new is None or _key(each) != _key(new)]
        writes = [delete_item(_key(each), PRESENT) for each in gone]
        if new is not None:
            # An object that already held what the others hold goes by its own name still.
            writes.append(put_item(_item(new), PRESENT if len(gone) < len(old) else None))
        self._table.transact(writes, doing="replacing objects in the archive's catalog")

    def list_due_months(self, shard: int, *, before: date) -> list[ArchiveMonth]:
        waiting = Key("unarchived").eq(uncompacted_pk(shard))
        found = {_month(item) for item in self._table.query(waiting, doing=READING, IndexName="unarchived")}
        return sorted(
            (month for month in found if month.first < before.replace(day=1)),
            key=lambda month: (month.first, month.tenant, month.agent),
        )

    def mark_compacted(self, objects: Sequence[ArchiveObject]) -> None:
        for each in objects:
            mark = update_item(_key(each), "REMOVE unarchived", PRESENT)
            with suppress(ConflictError):
                self._table.write(mark, doing="noting what was compacted")

    def _objects(self, condition: ConditionBase) -> list[ArchiveObject]:
        found = self._table.query(condition, doing=READING)
        objects = (read_body(item, ArchiveObject) for item in found)
        return sorted(objects, key=lambda each: (each.agent, each.first))


def _item(kept: ArchiveObject) -> Item:
    shard = crc32(f"{kept.tenant}#{kept.agent}".encode()) % ARCHIVE_SHARDS
    return {**_key(kept), "body": kept.model_dump_json(), "unarchived": uncompacted_pk(shard)}


def _key(kept: ArchiveObject) -> ItemKey:
    return {"pk": catalog_pk(kept.tenant), "sk": f"{kept.agent}#{kept.day:%Y-%m-%d}#{kept.name}"}


def _month(item: Item) -> ArchiveMonth:
    agent, day, _ = str(item["sk"]).split("#")
    first = date.fromisoformat(day).replace(day=1)
    return ArchiveMonth(tenant=tenant_of(str(item["pk"])), agent=agent, first=first)


WRITE_WORKERS = 10
"""Requests side by side: botocore keeps ten connections."""


class DynamoUnarchivedEpisodes:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def list_groups(self, shard: int, *, before: date, limit: int) -> Iterator[UnarchivedGroup]:
        waiting = Key("unarchived").eq(unarchived_pk(shard))
        partition, places = "", list[str]()
        for item in self._table.query(
            waiting, doing="reading what waits for the archive", IndexName="unarchived"
        ):
            pk = str(item["pk"])
            if places and (pk != partition or len(places) == limit):
                yield _group(partition, places)
                places = []
            partition = pk
            if _day(pk).day < before:
                places.append(str(item["sk"]))
        if places:
            yield _group(partition, places)

    def read_rows(self, waiting: UnarchivedGroup) -> list[EpisodeRow]:
        keys = ({"pk": waiting.partition, "sk": place} for place in waiting.places)
        found = self._table.get_batch(keys, doing="reading episodes for the archive")
        return [_episode_row(item) for item in found if "unarchived" in item]

    def mark_archived(
        self, waiting: UnarchivedGroup, places: Sequence[str], *, key: str, expires_at: datetime
    ) -> list[str]:
        def stamp(place: str) -> bool:
            return self._stamp({"pk": waiting.partition, "sk": place}, key, int(expires_at.timestamp()))

        with ThreadPoolExecutor(WRITE_WORKERS) as threads:
            done = list(threads.map(stamp, places))
        return [place for place, is_there in zip(places, done, strict=True) if not is_there]

    def _stamp(self, key: ItemKey, object_key: str, expires_at: int) -> bool:
        """Return whether the episode is still there.

        Of two archivers the later expiry stands: no object may claim that an episode is hot when it no longer
        is.
        """
        mark = update_item(
            key,
            "SET archived_key = :key, expires_at = :expires REMOVE unarchived",
            f"{PRESENT} AND (attribute_not_exists(expires_at) OR expires_at < :expires)",
            {":key": object_key, ":expires": expires_at},
        )
        try:
            self._table.write(mark, doing="marking an episode as archived")
        except ConflictError as lost:
            return conflicting_item(lost) is not None
        return True


def _group(partition: str, places: Sequence[str]) -> UnarchivedGroup:
    day = _day(partition)
    return UnarchivedGroup(day.tenant, day.agent, day.day, partition, tuple(sorted(places)))


def _day(partition: str) -> AgentDay:
    found = parse_day_key(partition)
    if found is None:
        raise ValueError("an episode's partition names its tenant, agent and day")
    return found


def _episode_row(item: Item) -> EpisodeRow:
    place, body = str(item["sk"]), str(item["body"])
    if "spilled" not in item:
        return EpisodeRow.from_item(place, body)
    return EpisodeRow.from_item(
        place, body, spilled=str(item["spilled"]), spilled_bytes=int(item["spilled_bytes"])
    )
