"""The cold tier's catalog in DynamoDB: pk `T#<tenant>#COLD`, sk `<agent>#<first day>#<name>`, one item per object.

It is written after the object was verified, so what it names exists; and an object that is gone although it is
named here is an error, not a gap. Objects span a month at most, so the ones that may hold a day begin in its month.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import ConditionBase, Key

from membus.adapters.dynamo_errors import dynamo_errors
from membus.adapters.dynamo_transactions import transact
from membus.domain.cold import ColdObject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

AFTER = "$"
"""The letter after `#`, in which all keys of an agent end."""


class DynamoColdCatalog:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, kept: ColdObject) -> None:
        with dynamo_errors("writing the archive's catalog"):
            self._table.put_item(Item=_item(kept))

    def of(self, tenant: str, agent: str | None = None, *, since: date | None = None) -> list[ColdObject]:
        key: ConditionBase = Key("pk").eq(_pk(tenant))
        if agent is not None:
            first = f"{since.replace(day=1):%Y-%m-%d}" if since else ""
            key &= Key("sk").between(f"{agent}#{first}", f"{agent}{AFTER}")
        found: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            with dynamo_errors("reading the archive's catalog"):
                answer = self._table.query(KeyConditionExpression=key, ConsistentRead=True, **start)
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        objects = (ColdObject.model_validate_json(str(item["body"])) for item in found)
        return sorted(objects, key=lambda each: (each.agent, each.first))

    def replace(self, old: Sequence[ColdObject], new: ColdObject | None) -> None:
        kept = [each for each in old if new is None or _key(each) != _key(new)]
        present = {"TableName": self._table.name, "ConditionExpression": "attribute_exists(pk)"}
        writes: list[Any] = [{"Delete": present | {"Key": _key(each)}} for each in kept]
        if new is not None:
            writes.append({"Put": {"TableName": self._table.name, "Item": _item(new)}})
        transact(self._table.meta.client, writes, doing="replacing objects in the archive's catalog")


def _item(kept: ColdObject) -> dict[str, Any]:
    return _key(kept) | {"body": kept.model_dump_json()}


def _key(kept: ColdObject) -> dict[str, str]:
    return {"pk": _pk(kept.tenant), "sk": f"{kept.agent}#{kept.day:%Y-%m-%d}#{kept.name}"}


def _pk(tenant: str) -> str:
    return f"T#{tenant}#COLD"
