"""Many items of a table by their keys, a hundred a request, asked for again as long as any are left."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

BATCH_GET_MAX = 100
"""Items that DynamoDB hands out in one batch."""


def get_items(table: "Table", keys: Sequence[dict[str, str]], *, doing: str) -> Iterator[dict[str, Any]]:
    """Yield the items that are there, in no order.

    UnavailableError where the table hands out none of a batch.
    """
    wanted = list(keys)
    while wanted:
        request: Any = {table.name: {"Keys": wanted[:BATCH_GET_MAX], "ConsistentRead": True}}
        with translate_dynamodb_errors(doing):
            answer: Any = table.meta.client.batch_get_item(RequestItems=request)
        yield from answer["Responses"].get(table.name, [])
        left = answer.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", [])
        if len(left) == len(wanted[:BATCH_GET_MAX]):
            raise UnavailableError(f"the table is busy while {doing}")
        wanted = [*left, *wanted[BATCH_GET_MAX:]]
