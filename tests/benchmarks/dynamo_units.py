"""Units of DynamoDB by AWS' rules for on-demand tables, and what they cost.

A write takes one unit a KB, in a transaction two; a read one unit per 4 KB, half of one where it may be
stale. Writes of indexes count. Prices are list prices of us-east-1 in November 2026.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.tables import TABLES

DOLLARS_PER_WRITE, DOLLARS_PER_READ = 0.625e-6, 0.125e-6
WRITES = {"Put": "Item", "Update": "ExpressionAttributeValues"}


@dataclass
class Work:
    """Requests and units that one thing took."""

    requests: Counter[str] = field(default_factory=Counter)
    writes: float = 0.0
    reads: float = 0.0

    def count(self, operation: str, sent: dict[str, Any], got: dict[str, Any]) -> None:
        self.requests[operation] += 1
        if operation == "TransactWriteItems":
            self.writes += sum(2 * _written(each) + _indexed(each) for each in sent["TransactItems"])
        elif operation in {"PutItem", "UpdateItem"}:
            self.writes += _written({operation.removesuffix("Item"): sent})
        elif operation == "BatchGetItem":
            self.reads += sum(
                len(asked["Keys"]) * (1.0 if asked.get("ConsistentRead") else 0.5)
                for asked in sent["RequestItems"].values()
            )
        else:
            items = got.get("Items") or [got.get("Item") or {}]
            consistent = 1.0 if sent.get("ConsistentRead") else 0.5
            self.reads += consistent * max(1, math.ceil(sum(map(_size, items)) / 4096))

    @property
    def dollars(self) -> float:
        return self.writes * DOLLARS_PER_WRITE + self.reads * DOLLARS_PER_READ


@contextmanager
def counting(clients: Sequence[Any]) -> Iterator[Work]:
    """Count what these DynamoDB clients are asked until the block ends."""
    work, sent = Work(), {}

    def before(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        sent[id(context)] = json.loads(params["body"])

    def after(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        work.count(model.name, sent[id(context)], parsed)

    for client in clients:
        client.meta.events.register_first("before-call.dynamodb", before, unique_id="count-sent")
        client.meta.events.register_last("after-call.dynamodb", after, unique_id="count-got")
    yield work
    for client in clients:
        client.meta.events.unregister("before-call.dynamodb", unique_id="count-sent")
        client.meta.events.unregister("after-call.dynamodb", unique_id="count-got")


def _written(write: dict[str, Any]) -> int:
    """Return the KB of an item.

    What deletes or only checks one counts as 1, which the small ones are that do so.
    """
    kind = next(iter(write))
    return max(1, math.ceil(_size(write[kind].get(WRITES.get(kind, ""), {})) / 1024))


def _indexed(write: dict[str, Any]) -> int:
    """An index that holds the item is written with it.

    Whole where it projects all, one unit where only keys.
    """
    item = write.get("Put", {}).get("Item", {})
    table = str(next(iter(write.values()))["TableName"]).removeprefix("membus-test-")
    indexes = TABLES[table]["indexes"].values()
    return sum(
        (_written(write) if projection == "ALL" else 1)
        for hash_key, _, projection in indexes
        if hash_key in item
    )


def _size(item: dict[str, Any]) -> int:
    """Return the bytes of names and values; requests hold typed values, answers plain ones."""
    values = (
        (name, next(iter(value.values())) if isinstance(value, dict) else value)
        for name, value in item.items()
    )
    return sum(len(name.encode()) + len(str(value).encode()) for name, value in values)
