"""Items removed one by one, eight at once.

A grant for batches of removals would be one for batches of writes.

Many items of a table by their keys, a hundred a request, asked for again as long as any are left.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.core.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
WORKERS = 8
PAGE_ITEMS = 400
"""Items removed between two looks at the clock: about a second's share of what one partition takes."""


def remove_items(table: "Table", items: Iterable[Mapping[str, Any]], *, doing: str) -> int:
    """Remove the items under these keys, whether they are there or not; return how many were named."""

    def drop(item: Mapping[str, Any]) -> None:
        with translate_dynamodb_errors(doing):
            table.meta.client.delete_item(TableName=table.name, Key={"pk": item["pk"], "sk": item["sk"]})

    named = list(items)
    with ThreadPoolExecutor(WORKERS) as hands:
        list(hands.map(drop, named))
    return len(named)


def query_pages(
    table: "Table", query: Mapping[str, Any], *, doing: str, limit: int = PAGE_ITEMS
) -> Iterator[list[dict[str, Any]]]:
    """Yield what a query finds, page after page, none of them empty."""
    start: dict[str, Any] = {}
    while True:
        with translate_dynamodb_errors(doing):
            answer: Any = table.query(**{"Limit": limit, **query}, **start)
        if answer["Items"]:
            yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


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
