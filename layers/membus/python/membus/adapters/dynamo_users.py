"""Everybody a tenant keeps memory for, found by reading the whole table: for an operator's command alone.

No key lists users, and an index that did would be written with every event. A scan reads each item once: half a read
unit for 4 KB, a dollar for about sixty gigabytes.
"""

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from membus.adapters.dynamo_errors import dynamo_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoUsers:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def of(self, tenant: str) -> list[str]:
        prefix = f"T#{tenant}#U#"
        found: set[str] = set()
        start: dict[str, Any] = {}
        while True:
            with dynamo_errors("looking for a tenant's users"):
                answer = self._table.scan(
                    FilterExpression=Attr("pk").begins_with(prefix) | Attr("user_pk").begins_with(prefix),
                    ProjectionExpression="pk, user_pk",
                    **start,
                )
            for item in answer["Items"]:
                key = str(item.get("user_pk", item["pk"]))
                found.add(key.removeprefix(prefix).split("#")[0])
            if "LastEvaluatedKey" not in answer:
                return sorted(found)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
