"""The cold tier's catalog in DynamoDB.

Pk `T#<tenant>#COLD`, sk `<agent>#<first day>#<name>`, one item per object.

It is written after the object was verified, so what it names exists; and an object that is gone although it
is named here is an error, not a gap. Objects span a month at most, so the ones that may hold a day begin in
its month. An entry that no compaction has looked at stands in the sparse index `unarchived`, too, as
`UNCOMPACTED#<shard>`.

Episodes that wait for their cold copy.

The sparse index `unarchived`, in shards, and the items it points to.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

from boto3.dynamodb.conditions import Attr, ConditionBase, Key

from membus.aws.dynamodb.errors import conflicting_item, translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.core.errors import ConflictError, UnavailableError
from membus.episodes.archive.model import ArchiveMonth, ArchiveObject, EpisodeRow
from membus.episodes.archive.ports import UnarchivedGroup
from membus.episodes.dynamodb import ARCHIVE_SHARDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
AFTER_HASH = "$"
"""The letter after `#`, in which all keys of an agent, and of a day, end."""


class DynamoArchiveCatalog:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add_object(self, kept: ArchiveObject) -> None:
        with translate_dynamodb_errors("writing the archive's catalog"):
            self._table.put_item(Item=_item(kept))

    def list_objects(
        self, tenant: str, agent: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[ArchiveObject]:
        key: ConditionBase = Key("pk").eq(_pk(tenant))
        if agent is not None:
            first = f"{since.replace(day=1):%Y-%m-%d}" if since else ""
            last = f"#{until:%Y-%m-%d}" if until else ""
            key &= Key("sk").between(f"{agent}#{first}", f"{agent}{last}{AFTER_HASH}")
        return self._objects(key)

    def list_month(self, month: ArchiveMonth) -> list[ArchiveObject]:
        return self._objects(
            Key("pk").eq(_pk(month.tenant)) & Key("sk").begins_with(f"{month.agent}#{month.first:%Y-%m}-")
        )

    def has_object(self, key: str) -> bool:
        folder, day, name = key.removesuffix(".parquet").rsplit("/", 2)
        tenant, _, agent = folder.partition("/")
        with translate_dynamodb_errors("reading the archive's catalog"):
            answer = self._table.get_item(
                Key={"pk": _pk(tenant), "sk": f"{agent}#{day}#{name}"},
                ConsistentRead=True,
                ProjectionExpression="pk",
            )
        return "Item" in answer

    def replace_objects(self, old: Sequence[ArchiveObject], new: ArchiveObject | None) -> None:
        present = {"TableName": self._table.name, "ConditionExpression": "attribute_exists(pk)"}
        kept = [each for each in old if new is None or _key(each) != _key(new)]
        writes: list[Any] = [{"Delete": present | {"Key": _key(each)}} for each in kept]
        if new is not None:
            # An object that already held what the others hold goes by its own name still.
            where = present if len(kept) < len(old) else {"TableName": self._table.name}
            writes.append({"Put": where | {"Item": _item(new)}})
        write_transaction(self._table.meta.client, writes, doing="replacing objects in the archive's catalog")

    def list_due_months(self, shard: int, *, before: date) -> list[ArchiveMonth]:
        waiting = Key("unarchived").eq(f"UNCOMPACTED#{shard:02d}")
        found = {_month(item) for item in self._pages(waiting, IndexName="unarchived")}
        return sorted(
            (month for month in found if month.first < before.replace(day=1)),
            key=lambda month: (month.first, month.tenant, month.agent),
        )

    def mark_compacted(self, objects: Sequence[ArchiveObject]) -> None:
        for each in objects:
            with suppress(ConflictError), translate_dynamodb_errors("noting what was compacted"):
                self._table.update_item(
                    Key=_key(each),
                    UpdateExpression="REMOVE unarchived",
                    ConditionExpression=Attr("pk").exists(),
                )

    def _objects(self, key: ConditionBase) -> list[ArchiveObject]:
        found = self._pages(key, ConsistentRead=True)
        objects = (ArchiveObject.model_validate_json(str(item["body"])) for item in found)
        return sorted(objects, key=lambda each: (each.agent, each.first))

    def _pages(self, key: ConditionBase, **asked: Any) -> Iterator[dict[str, Any]]:
        while True:
            with translate_dynamodb_errors("reading the archive's catalog"):
                answer = self._table.query(KeyConditionExpression=key, **asked)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _item(kept: ArchiveObject) -> dict[str, Any]:
    shard = crc32(f"{kept.tenant}#{kept.agent}".encode()) % ARCHIVE_SHARDS
    return _key(kept) | {"body": kept.model_dump_json(), "unarchived": f"UNCOMPACTED#{shard:02d}"}


def _key(kept: ArchiveObject) -> dict[str, str]:
    return {"pk": _pk(kept.tenant), "sk": f"{kept.agent}#{kept.day:%Y-%m-%d}#{kept.name}"}


def _month(item: dict[str, Any]) -> ArchiveMonth:
    agent, day, _ = str(item["sk"]).split("#")
    tenant = str(item["pk"]).removeprefix("T#").removesuffix("#COLD")
    return ArchiveMonth(tenant=tenant, agent=agent, first=date.fromisoformat(day).replace(day=1))


def _pk(tenant: str) -> str:
    return f"T#{tenant}#COLD"


_PARTITION = re.compile(r"T#(?P<tenant>[^#]+)#A#(?P<agent>[^#]+)#E#(?P<day>[^#]+)")
READ_BATCH = 100
"""BatchGetItem takes a hundred keys."""
WRITE_WORKERS = 10
"""Requests side by side: botocore keeps ten connections."""


class DynamoUnarchivedEpisodes:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def list_groups(self, shard: int, *, before: date, limit: int) -> Iterator[UnarchivedGroup]:
        partition, places = "", list[str]()
        for pk, sk in self._index(shard):
            if places and (pk != partition or len(places) == limit):
                yield _group(partition, places)
                places = []
            partition = pk
            if _parts(pk)["day"] < f"{before:%Y-%m-%d}":
                places.append(sk)
        if places:
            yield _group(partition, places)

    def read_rows(self, waiting: UnarchivedGroup) -> list[EpisodeRow]:
        items: list[dict[str, Any]] = []
        for start in range(0, len(waiting.places), READ_BATCH):
            places = waiting.places[start : start + READ_BATCH]
            items += self._items([{"pk": waiting.partition, "sk": place} for place in places])
        return [_episode_row(item) for item in items if "unarchived" in item]

    def mark_archived(
        self, waiting: UnarchivedGroup, places: Sequence[str], *, key: str, expires_at: datetime
    ) -> list[str]:
        def stamped(place: str) -> bool:
            return self._stamp({"pk": waiting.partition, "sk": place}, key, int(expires_at.timestamp()))

        with ThreadPoolExecutor(WRITE_WORKERS) as threads:
            done = list(threads.map(stamped, places))
        return [place for place, is_there in zip(places, done, strict=True) if not is_there]

    def _index(self, shard: int) -> Iterator[tuple[str, str]]:
        start: dict[str, Any] = {}
        while True:
            with translate_dynamodb_errors("reading what waits for the archive"):
                answer = self._table.query(
                    IndexName="unarchived",
                    KeyConditionExpression=Key("unarchived").eq(f"UNARCHIVED#{shard:02d}"),
                    **start,
                )
            yield from ((str(item["pk"]), str(item["sk"])) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _items(self, keys: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Return the items, all of them: a table that hands out no more of a batch is busy."""
        found: list[dict[str, Any]] = []
        asked: dict[str, Any] = {self._table.name: {"Keys": keys, "ConsistentRead": True}}
        while asked:
            with translate_dynamodb_errors("reading episodes for the archive"):
                answer = self._table.meta.client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(self._table.name, [])
            left = answer.get("UnprocessedKeys", {})
            if left and not answer["Responses"].get(self._table.name):
                raise UnavailableError("the table is busy while reading episodes for the archive")
            asked = dict(left)
        return found

    def _stamp(self, key: dict[str, str], name: str, expires_at: int) -> bool:
        """Return whether the episode is still there.

        Of two archivers the later expiry stands: no object may claim that an episode is hot when it no longer
        is.
        """
        try:
            with translate_dynamodb_errors("marking an episode as archived"):
                self._table.update_item(
                    Key=key,
                    UpdateExpression="SET archived_key = :key, expires_at = :expires REMOVE unarchived",
                    ConditionExpression="attribute_exists(pk) AND "
                    "(attribute_not_exists(expires_at) OR expires_at < :expires)",
                    ExpressionAttributeValues={":key": name, ":expires": expires_at},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConflictError as lost:
            return conflicting_item(lost) is not None
        return True


def _group(partition: str, places: Sequence[str]) -> UnarchivedGroup:
    parts = _parts(partition)
    return UnarchivedGroup(
        parts["tenant"], parts["agent"], date.fromisoformat(parts["day"]), partition, tuple(sorted(places))
    )


def _parts(partition: str) -> dict[str, str]:
    found = _PARTITION.match(partition)
    if found is None:
        raise ValueError("an episode's partition names its tenant, agent and day")
    return found.groupdict()


def _episode_row(item: dict[str, Any]) -> EpisodeRow:
    place, body = str(item["sk"]), str(item["body"])
    if "spilled" not in item:
        return EpisodeRow.from_item(place, body)
    return EpisodeRow.from_item(
        place, body, spilled=str(item["spilled"]), spilled_bytes=int(item["spilled_bytes"])
    )
