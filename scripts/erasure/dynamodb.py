"""Reads whole tables for an operator's command: a tenant's users, and what a restore must not bring back.

No key lists users, and an index that did would be written with every event. A scan reads each item once: half
a read unit for 4 KB, a dollar for about sixty gigabytes.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import catalog_pk, events_prefix, users_prefix
from membus.aws.dynamodb.table import DynamoTable, Item, put_item
from membus.core.event import FORGOTTEN

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


def carry_over_erasures(tenant: str, *, live: "Table", restored: "Table") -> Counter[str]:
    """Replace the restored catalog and ids of erased events by those in use; return how many were copied.

    Objects are not restored to a point in time. An erased event has its id alone in place of its identity; a
    restore brings the identity back, and no key says whose it is.
    """
    source, target = DynamoTable(live), DynamoTable(restored)
    catalog, events = catalog_pk(tenant), events_prefix(tenant)
    target.delete_items(_items(target, catalog), doing="replacing a restored catalog")
    carried: Counter[str] = Counter()
    for kind, prefix in (("catalog", catalog), ("erased_ids", events)):
        for item in _items(source, prefix):
            if kind == "catalog" or item.get("extracted") == FORGOTTEN:
                target.write(put_item(item), doing="carrying over what was erased")
                carried[kind] += 1
    return carried


def _items(table: DynamoTable, prefix: str) -> Iterator[Item]:
    mine = Attr("pk").begins_with(prefix)
    pages = table.scan_pages(doing="reading a table whole", FilterExpression=mine, ConsistentRead=True)
    for items, _ in pages:
        yield from items
