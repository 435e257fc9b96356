"""Users and items of a tenant, found by reading a whole table: for operators' commands alone.

No key lists users, and an index that did would be written with every event. A scan reads each item once: half
a read unit for 4 KB, a dollar for about sixty gigabytes.
"""

from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import users_prefix
from membus.aws.dynamodb.table import DynamoTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoUsers:
    """`listed_by` is the key of the index that leads from a user to items in other partitions."""

    def __init__(self, table: "Table", listed_by: str) -> None:
        self._table, self._listed_by = DynamoTable(table), listed_by

    def list_users(self, tenant: str) -> list[str]:
        prefix, names = users_prefix(tenant), ("pk", self._listed_by)
        pages = self._table.scan_pages(
            doing="looking for a tenant's users",
            FilterExpression=Attr("pk").begins_with(prefix) | Attr(self._listed_by).begins_with(prefix),
            ProjectionExpression=", ".join(names),
        )
        keys = (str(item.get(name, "")) for items, _ in pages for item in items for name in names)
        return sorted({key.removeprefix(prefix).split("#")[0] for key in keys if key.startswith(prefix)})
