"""The cold tier's catalog in DynamoDB.

Pk `T#<tenant>#COLD`, sk `<agent>#<first day>#<name>`, one item per object.

It is written after the object was verified, so what it names exists; and an object that is gone although it
is named here is an error, not a gap. Objects span a month at most, so the ones that may hold a day begin in
its month. An entry that no compaction has looked at stands in the sparse index `unarchived`, too, as
`UNCOMPACTED#<shard>`.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any
from zlib import crc32

from boto3.dynamodb.conditions import Attr, ConditionBase, Key

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.dynamo_transactions import write_transaction
from membus.adapters.episode_items import ARCHIVE_SHARDS
from membus.domain.cold import ArchiveMonth, ArchiveObject
from membus.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

AFTER_HASH = "$"
"""The letter after `#`, in which all keys of an agent, and of a day, end."""


class DynamoArchiveCatalog:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, kept: ArchiveObject) -> None:
        with translate_dynamodb_errors("writing the archive's catalog"):
            self._table.put_item(Item=_item(kept))

    def of(
        self, tenant: str, agent: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[ArchiveObject]:
        key: ConditionBase = Key("pk").eq(_pk(tenant))
        if agent is not None:
            first = f"{since.replace(day=1):%Y-%m-%d}" if since else ""
            last = f"#{until:%Y-%m-%d}" if until else ""
            key &= Key("sk").between(f"{agent}#{first}", f"{agent}{last}{AFTER_HASH}")
        return self._objects(key)

    def of_month(self, month: ArchiveMonth) -> list[ArchiveObject]:
        return self._objects(
            Key("pk").eq(_pk(month.tenant)) & Key("sk").begins_with(f"{month.agent}#{month.first:%Y-%m}-")
        )

    def names(self, key: str) -> bool:
        folder, day, name = key.removesuffix(".parquet").rsplit("/", 2)
        tenant, _, agent = folder.partition("/")
        with translate_dynamodb_errors("reading the archive's catalog"):
            answer = self._table.get_item(
                Key={"pk": _pk(tenant), "sk": f"{agent}#{day}#{name}"},
                ConsistentRead=True,
                ProjectionExpression="pk",
            )
        return "Item" in answer

    def replace(self, old: Sequence[ArchiveObject], new: ArchiveObject | None) -> None:
        present = {"TableName": self._table.name, "ConditionExpression": "attribute_exists(pk)"}
        kept = [each for each in old if new is None or _key(each) != _key(new)]
        writes: list[Any] = [{"Delete": present | {"Key": _key(each)}} for each in kept]
        if new is not None:
            # An object that already held what the others hold goes by its own name still.
            where = present if len(kept) < len(old) else {"TableName": self._table.name}
            writes.append({"Put": where | {"Item": _item(new)}})
        write_transaction(self._table.meta.client, writes, doing="replacing objects in the archive's catalog")

    def due(self, shard: int, *, before: date) -> list[ArchiveMonth]:
        waiting = Key("unarchived").eq(f"UNCOMPACTED#{shard:02d}")
        found = {_month(item) for item in self._pages(waiting, IndexName="unarchived")}
        return sorted(
            (month for month in found if month.first < before.replace(day=1)),
            key=lambda month: (month.first, month.tenant, month.agent),
        )

    def looked_at(self, objects: Sequence[ArchiveObject]) -> None:
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
