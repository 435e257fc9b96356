"""A DynamoDB table as every adapter uses it: one way to read items, to page through them and to write them.

Reads are consistent unless `consistent=False` asks for less; an index cannot be. Writes are made by
`put_item`, `update_item`, `delete_item` and `check_item`, and sent alone (`write`) or all or nothing
(`transact`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from boto3.dynamodb.conditions import ConditionBase, Key

from membus.aws.dynamodb.errors import is_transaction_conflict, translate_dynamodb_errors
from membus.aws.dynamodb.keys import ItemKey
from membus.core.errors import ConflictError, UnavailableError
from membus.core.pages import Page
from membus.core.retry import RetryPolicy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from pydantic import BaseModel

Body = TypeVar("Body", bound="BaseModel")
Item = dict[str, Any]
Write = dict[str, dict[str, Any]]
"""One write of a transaction in DynamoDB's own form, without the table: `{"Put": {"Item": …}}`."""

ABSENT, PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"
"""Conditions: there is no item under this key yet, or there is one."""
BATCH_GET_MAX = 100
"""Items that DynamoDB hands out in one batch."""
PAGE_ITEMS = 400
"""Items removed between two looks at the clock: about a second's share of what one partition takes."""
WORKERS = 8
"""Items written or removed side by side; botocore keeps ten connections."""
TRANSACTION_RETRY = RetryPolicy(tries=5, pause_seconds=0.04)
"""For transactions that merely met on an item: botocore itself never repeats a cancelled one."""


class DynamoTable:
    """`doing` says in the message of an error what failed: "the table is busy while reading a fact".

    Every method raises UnavailableError where the table is busy or out of reach, and a write ConflictError
    where its condition failed.
    """

    def __init__(self, table: "Table") -> None:
        self.name = table.name
        self._client: Any = table.meta.client

    def get(self, key: Mapping[str, str], *, doing: str, **options: Any) -> Item | None:
        with translate_dynamodb_errors(doing):
            found = self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True, **options)
        item: Item | None = found.get("Item")
        return item

    def get_batch(
        self, keys: Iterable[ItemKey], *, doing: str, consistent: bool = True, **options: Any
    ) -> Iterator[Item]:
        """Yield the items that are there, in no order; UnavailableError where a batch brings none at all."""
        wanted = list(keys)
        while wanted:
            asked = {"Keys": wanted[:BATCH_GET_MAX], "ConsistentRead": consistent, **options}
            with translate_dynamodb_errors(doing):
                answer = self._client.batch_get_item(RequestItems={self.name: asked})
            yield from answer["Responses"].get(self.name, [])
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if len(left) == len(asked["Keys"]):
                raise UnavailableError(f"the table is busy while {doing}")
            wanted = [*left, *wanted[BATCH_GET_MAX:]]

    def query(self, condition: ConditionBase, *, doing: str, **options: Any) -> Iterator[Item]:
        return chain.from_iterable(self.query_pages(condition, doing=doing, **options))

    def query_pages(self, condition: ConditionBase, *, doing: str, **options: Any) -> Iterator[list[Item]]:
        """Yield what a query finds, page after page; a page that a filter has emptied is left out."""
        request = {"KeyConditionExpression": condition, "ConsistentRead": "IndexName" not in options}
        for answer in self._answers(self._client.query, {**request, **options}, doing):
            if answer["Items"]:
                yield answer["Items"]

    def query_page(
        self,
        condition: ConditionBase,
        *,
        doing: str,
        limit: int,
        after: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Page[Item]:
        """Return one page of `limit` items read, those that a filter leaves out counted, behind `after`."""
        request = {"KeyConditionExpression": condition, "ConsistentRead": "IndexName" not in options}
        start = {"ExclusiveStartKey": after} if after else {}
        answers = self._answers(self._client.query, {**request, "Limit": limit, **options, **start}, doing)
        answer = next(answers)
        return Page(tuple(answer["Items"]), answer.get("LastEvaluatedKey"))

    def scan_pages(self, *, doing: str, **options: Any) -> Iterator[tuple[list[Item], int]]:
        """Yield what is found in the whole table, with how many items were read for each page."""
        for answer in self._answers(self._client.scan, options, doing):
            yield answer["Items"], answer["ScannedCount"]

    def write(
        self,
        write: Write,
        *,
        doing: str,
        returns: Literal["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_NEW"] = "NONE",
    ) -> Item:
        """Return the attributes asked for; an item that a condition failed on is in `conflicting_item`."""
        ((kind, request),) = write.items()
        send: Callable[..., Any] = getattr(self._client, f"{kind.lower()}_item")
        if "ConditionExpression" in request:
            request = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        with translate_dynamodb_errors(doing):
            answer = send(TableName=self.name, ReturnValues=returns, **request)
        attributes: Item = answer.get("Attributes", {})
        return attributes

    def transact(self, writes: Iterable[Write], *, doing: str) -> None:
        """Write all or nothing, again where other transactions stood in the way and no condition failed."""
        named = [
            {kind: {"TableName": self.name, **request}} for write in writes for kind, request in write.items()
        ]
        tried = 0
        while True:
            try:
                with translate_dynamodb_errors(doing):
                    self._client.transact_write_items(TransactItems=named)
            except ConflictError as lost:
                if not is_transaction_conflict(lost) or not TRANSACTION_RETRY.wait(tried):
                    raise
            else:
                return
            tried += 1

    def write_each(self, writes: Iterable[Write], *, doing: str) -> int:
        """Send the writes one by one, some of them side by side; return how many there were.

        A grant for batches of removals would be one for batches of writes.
        """
        sent = list(writes)
        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(partial(self.write, doing=doing), sent))
        return len(sent)

    def delete_items(self, items: Iterable[Mapping[str, Any]], *, doing: str) -> int:
        """Remove the items under these keys, there or not; return how many were named."""
        keys = ({"pk": item["pk"], "sk": item["sk"]} for item in items)
        return self.write_each(map(delete_item, keys), doing=doing)

    def _answers(self, ask: Callable[..., Any], request: Item, doing: str) -> Iterator[Any]:
        while True:
            with translate_dynamodb_errors(doing):
                answer = ask(TableName=self.name, **request)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def read_body(item: Item, model: type[Body]) -> Body:
    """Return the value that an item keeps as JSON in `body`."""
    return model.model_validate_json(str(item["body"]))


def within(pk: str, prefix: str = "") -> ConditionBase:
    """Return the condition of a query for a partition's items, by the beginning of their sort keys."""
    partition: ConditionBase = Key("pk").eq(pk)
    return partition & Key("sk").begins_with(prefix) if prefix else partition


def put_item(
    item: Mapping[str, Any], condition: str | None = None, values: Mapping[str, Any] | None = None
) -> Write:
    return {"Put": {"Item": item, **_conditional(condition, values)}}


def update_item(
    key: Mapping[str, str],
    expression: str,
    condition: str | None = None,
    values: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> Write:
    named = {"ExpressionAttributeNames": names} if names else {}
    return {
        "Update": {"Key": key, "UpdateExpression": expression, **_conditional(condition, values), **named}
    }


def delete_item(
    key: Mapping[str, str], condition: str | None = None, values: Mapping[str, Any] | None = None
) -> Write:
    return {"Delete": {"Key": key, **_conditional(condition, values)}}


def check_item(key: Mapping[str, str], condition: str) -> Write:
    """Return a part of a transaction that writes nothing and lets nothing be written unless it holds."""
    return {"ConditionCheck": {"Key": key, "ConditionExpression": condition}}


def _conditional(condition: str | None, values: Mapping[str, Any] | None) -> Item:
    return {
        **({"ConditionExpression": condition} if condition else {}),
        **({"ExpressionAttributeValues": values} if values else {}),
    }
