"""Counts what boto3 clients ask of AWS: requests, bytes of objects, units of DynamoDB and their price.

Units follow AWS' rules for on-demand tables. A write takes one unit a KB, in a transaction two; a read one
unit per 4 KB, half of one where it may be stale. Writes of indexes count. Prices are list prices of us-east-1
in November 2026.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.tables import TABLES

DOLLARS_PER_WRITE, DOLLARS_PER_READ = 0.625e-6, 0.125e-6
WRITES = {"Put": "Item", "Update": "ExpressionAttributeValues"}


@dataclass
class AwsCalls:
    """Requests by operation; `reads` and `writes` are units of DynamoDB, bytes are those of S3 objects."""

    requests: Counter[str] = field(default_factory=Counter)
    writes: float = 0.0
    reads: float = 0.0
    items: int = 0
    dynamodb_bytes: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    @property
    def dollars(self) -> float:
        return self.writes * DOLLARS_PER_WRITE + self.reads * DOLLARS_PER_READ

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {name}" for name, count in self.requests.most_common()) or "none"

    def count_units(self, operation: str, sent: dict[str, Any], got: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            self.writes += sum(2 * _written(each) + _indexed(each) for each in sent["TransactItems"])
        elif operation in {"PutItem", "UpdateItem"}:
            self.writes += _written({operation.removesuffix("Item"): sent})
        elif operation == "DeleteItem":  # an episode takes its two index entries with it
            self.writes += 3 if "#E#" in sent["Key"]["pk"]["S"] else 1
        elif operation == "BatchGetItem":
            for wanted in sent["RequestItems"].values():
                self.reads += len(wanted["Keys"]) * _consistency(wanted)
        else:
            items = got.get("Items") or [got.get("Item") or {}]
            self.reads += _consistency(sent) * max(1, math.ceil(sum(map(_size, items)) / 4096))


@contextmanager
def count_calls(*clients: Any) -> Iterator[AwsCalls]:
    """Count the calls of these clients until the block ends."""
    calls, sent = AwsCalls(), dict[int, Any]()

    def before(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        calls.requests[model.name] += 1
        sent[id(context)] = params.get("body")
        if model.name == "PutObject":
            calls.bytes_written += _length(params.get("body"))

    def after(
        http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        if model.service_model.service_name == "dynamodb":
            calls.items += int(parsed.get("ScannedCount", 0))
            calls.dynamodb_bytes += len(http_response.content)
            calls.count_units(model.name, json.loads(sent[id(context)]), parsed)
        elif model.name == "GetObject":
            calls.bytes_read += int(parsed.get("ContentLength", 0))

    for client in clients:
        client.meta.events.register_first("before-call", before, unique_id="count-sent")
        client.meta.events.register_last("after-call", after, unique_id="count-got")
    try:
        yield calls
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="count-sent")
            client.meta.events.unregister("after-call", unique_id="count-got")


def _consistency(request: dict[str, Any]) -> float:
    return 1.0 if request.get("ConsistentRead") else 0.5


def _length(body: Any) -> int:
    """Return the bytes of a body, which must not be read: it has yet to be sent."""
    return len(body.getbuffer()) if hasattr(body, "getbuffer") else len(body or b"")


def _written(write: dict[str, Any]) -> int:
    """Return the KB of an item; a delete or a check counts as 1, for their items are small."""
    kind = next(iter(write))
    return max(1, math.ceil(_size(write[kind].get(WRITES.get(kind, ""), {})) / 1024))


def _indexed(write: dict[str, Any]) -> int:
    """Return the units of the index entries of an item: whole where they project all, else one each."""
    item = write.get("Put", {}).get("Item", {})
    table = str(next(iter(write.values()))["TableName"]).removeprefix("membus-test-")
    return sum(
        (_written(write) if projection == "ALL" else 1)
        for hash_key, _, projection in TABLES[table]["indexes"].values()
        if hash_key in item
    )


def _size(item: dict[str, Any]) -> int:
    """Return the bytes of names and values; requests hold typed values, answers plain ones."""
    values = (
        (name, next(iter(value.values())) if isinstance(value, dict) else value)
        for name, value in item.items()
    )
    return sum(len(name.encode()) + len(str(value).encode()) for name, value in values)
