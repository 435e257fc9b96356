"""Usage in the tenants table.

`T#<tenant>#USAGE`/`USAGE#<day>#<function>#<model>#<shard>`, one item of sums each.

The partition is not the tenant's own, so whoever may write usage cannot touch the tenant, its budget or its
erasures. Events stand under the function `-` and the model `events`.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import crc32

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.domain.usage import DailyUsage, ModelCall, daily_usage_of_call, merge_daily_usage
from membus.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

USAGE_SHARDS = 4
"""Items that one function's calls to one model are spread over.

4,000 calls a second before one of them is hot.
"""
SUMMED_ATTRIBUTES = ("calls", "input", "cache_read", "cache_write", "output", "unpriced_calls")
EVENTS_SORT_KEY_SUFFIX = "-#events"


class DynamoUsage:
    def __init__(self, table: "Table") -> None:
        self._table, self._client = table, table.meta.client

    def record(self, call: ModelCall) -> None:
        spending = daily_usage_of_call(call)
        figures: dict[str, Any] = {name: getattr(spending, name) for name in SUMMED_ATTRIBUTES}
        if spending.dollars is not None:
            figures["dollars"] = spending.dollars
        self._add(call.tenant_id, f"{call.day}#{call.function}#{call.model}", figures, write_id=call.call_id)

    def count_events(self, tenant: str, day: date, events: int) -> None:
        self._add(tenant, f"{day}#{EVENTS_SORT_KEY_SUFFIX}", {"events": events}, write_id=uuid4().hex)

    def spent(self, tenant: str, day: date) -> Decimal:
        return sum(
            (item.get("dollars", Decimal(0)) for item in self._items(tenant, day, day)), start=Decimal(0)
        )

    def spendings(self, tenant: str, first: date, last: date) -> list[DailyUsage]:
        return merge_daily_usage(
            _daily_usage_from_item(item) for item in self._items(tenant, first, last) if "calls" in item
        )

    def events(self, tenant: str, first: date, last: date) -> int:
        return sum(int(item.get("events", 0)) for item in self._items(tenant, first, last))

    def _add(self, tenant: str, what: str, figures: dict[str, Any], *, write_id: str) -> None:
        """Add the figures to a shard that the write's id chooses; the shard keeps that id.

        So a write that the SDK repeats, because its answer was lost, meets its own id and is not added again;
        unless another write to the same shard came in between.
        """
        sums = ", ".join(f"#{name} :{name}" for name in figures)
        values = {f":{name}": value for name, value in figures.items()}
        shard = crc32(write_id.encode()) % USAGE_SHARDS
        try:
            with translate_dynamodb_errors("recording usage"):
                self._table.update_item(
                    Key={"pk": _usage_partition_key(tenant), "sk": f"USAGE#{what}#{shard}"},
                    UpdateExpression=f"SET last_write = :id ADD {sums}",
                    ConditionExpression="attribute_not_exists(pk) OR last_write <> :id",
                    ExpressionAttributeNames={f"#{name}": name for name in figures},
                    ExpressionAttributeValues=values | {":id": write_id},
                )
        except ConflictError:
            return

    def _items(self, tenant: str, first: date, last: date) -> Iterator[Any]:
        query = self._client.get_paginator("query")
        with translate_dynamodb_errors("reading usage"):
            pages: Iterable[Any] = query.paginate(
                TableName=self._table.name,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": _usage_partition_key(tenant),
                    ":first": f"USAGE#{first}#",
                    ":last": f"USAGE#{last}#\uffff",
                },
                ConsistentRead=True,
            )
            for page in pages:
                yield from page["Items"]


def _usage_partition_key(tenant: str) -> str:
    return f"T#{tenant}#USAGE"


def _daily_usage_from_item(item: dict[str, Any]) -> DailyUsage:
    _, day, function, model, _ = item["sk"].split("#")
    figures = {name: int(item[name]) for name in SUMMED_ATTRIBUTES}
    return DailyUsage.model_validate(
        {"day": day, "function": function, "model": model, "dollars": item.get("dollars"), **figures}
    )
