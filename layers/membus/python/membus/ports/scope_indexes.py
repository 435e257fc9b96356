"""Approximate indexes for the vectors of large scopes, as the one who owns the schema makes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class LargeScope(NamedTuple):
    tenant: str
    model: str
    scope: str


class ScopeIndexes(Protocol):
    def large(self, *, at_least: int) -> Sequence[LargeScope]:
        """Return the scopes with so many vectors of one model, the largest first.

        Nothing is counted for it.
        """

    def waits_since(self, model: str) -> datetime | None:
        """Return when the text was written that has waited longest for its vector; None where none does."""

    def made(self) -> Mapping[str, bool]:
        """Return the indexes there are by name, and whether each is whole.

        One that was cut off serves nobody.
        """

    def name(self, scope: LargeScope) -> str: ...

    def make(self, scope: LargeScope) -> None:
        """Make the index while others read and write; raises UnavailableError or InvalidError."""

    def drop(self, name: str) -> None: ...
