"""What a restored table must take from the one in use: the catalog of objects, and the ids of erased events.

Objects go back to no point in time. An erased event's bare id stands where its identity would; a restore
brings the whole identity back, and no key says whose.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.batches import remove_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.core.event import FORGOTTEN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def carry_over_erasures(tenant: str, *, live: "Table", restored: "Table") -> Counter[str]:
    """Put the tenant's catalog and erased ids as they are in use in the place of the restored ones."""
    carried: Counter[str] = Counter()
    stale = list(_items(restored, tenant, "#COLD"))
    remove_items(restored, stale, doing="replacing a restored catalog")
    for kind, infix in (("catalog", "#COLD"), ("erased_ids", "#EV#")):
        for item in _items(live, tenant, infix):
            if kind == "catalog" or item.get("extracted") == FORGOTTEN:
                with translate_dynamodb_errors("carrying over what was erased"):
                    restored.put_item(Item=item)
                carried[kind] += 1
    return carried


def _items(table: "Table", tenant: str, infix: str) -> Iterator[dict[str, Any]]:
    start: dict[str, Any] = {}
    while True:
        with translate_dynamodb_errors("reading a table whole"):
            answer: Any = table.scan(
                FilterExpression="begins_with(pk, :mine)",
                ExpressionAttributeValues={":mine": f"T#{tenant}{infix}"},
                ConsistentRead=True,
                **start,
            )
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
