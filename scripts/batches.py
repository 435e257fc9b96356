"""Batches of JSON values that stay below a count and a size."""

import json
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def split_batches(items: Iterable[T], *, count: int, size_bytes: int) -> Iterator[list[T]]:
    """Yield the items in order; an item above the size makes a batch of its own."""
    batch: list[T] = []
    size = 0
    for item in items:
        weight = len(json.dumps(item).encode())
        if batch and (len(batch) == count or size + weight > size_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch
