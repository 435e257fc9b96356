"""Everybody a tenant keeps something for, found by reading a whole table: for an operator's command alone.

No key lists users, and an index that did would be written with every event. A scan reads each item once: half
a read unit for 4 KB, a dollar for about sixty gigabytes.
"""

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.errors import translate_dynamodb_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoUsers:
    """`listed_by` is the partition key of the index that leads from a user to what lies in other partitions."""

    def __init__(self, table: "Table", listed_by: str) -> None:
        self._table, self._listed_by = table, listed_by

    def list_users(self, tenant: str) -> list[str]:
        prefix = f"T#{tenant}#U#"
        found: set[str] = set()
        start: dict[str, Any] = {}
        while True:
            with translate_dynamodb_errors("looking for a tenant's users"):
                answer = self._table.scan(
                    FilterExpression=Attr("pk").begins_with(prefix)
                    | Attr(self._listed_by).begins_with(prefix),
                    ProjectionExpression=f"pk, {self._listed_by}",
                    **start,
                )
            for item in answer["Items"]:
                keys = (str(item.get(name, "")) for name in ("pk", self._listed_by))
                found |= {key.removeprefix(prefix).split("#")[0] for key in keys if key.startswith(prefix)}
            if "LastEvaluatedKey" not in answer:
                return sorted(found)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
