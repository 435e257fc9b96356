"""One page of a listing and the key that the next one starts after."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`after` names the last key read, None on the last page.

    An empty page may still have one (expired items).
    """

    items: tuple[T, ...]
    after: dict[str, str] | None = None
