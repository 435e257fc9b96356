"""What a restored table must take from the one in use: the catalog of objects, and the ids of erased events.

Objects go back to no point in time. An erased event's bare id stands where its identity would; a restore
brings the whole identity back, and no key says whose.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import catalog_pk, events_prefix
from membus.aws.dynamodb.table import DynamoTable, Item, put_item
from membus.core.event import FORGOTTEN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def carry_over_erasures(tenant: str, *, live: "Table", restored: "Table") -> Counter[str]:
    """Put the tenant's catalog and erased ids as they are in use in the place of the restored ones."""
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
