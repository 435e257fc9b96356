"""Pages as DynamoDB cuts them: the limit counts what is read, the filter drops from what was read."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from membus.core.pages import Page

T = TypeVar("T")


def page_of(
    items: Mapping[str, T],
    *,
    limit: int,
    after: dict[str, str] | None,
    newest_first: bool = False,
    keep: Callable[[T], bool] = lambda _: True,
) -> Page[T]:
    """Return one page of `items` in the order of their sort keys; it may be empty and still not the last."""
    ordered = sorted(items, reverse=newest_first)
    left = ordered[ordered.index(after["sk"]) + 1 :] if after else ordered
    read = left[:limit]
    kept: Iterable[T] = (items[sk] for sk in read)
    return Page(tuple(filter(keep, kept)), {"sk": read[-1]} if len(left) > limit else None)
