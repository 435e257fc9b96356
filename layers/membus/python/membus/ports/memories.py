"""The search index: memories of every kind, cut into passages, each with its vector."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from membus.domain.memory import Removal
from membus.domain.pages import Page
from membus.domain.retrieval import IndexEntry, SearchCandidates, SearchScope
from membus.ports.embedder import Vector


class MemoryIndex(Protocol):
    """Derived from the stores, hence rebuildable.

    A memory of another tenant is as absent as one that never was.

    Raises UnavailableError where the database is down, resuming or busy; UnsafeError where it would show one
    tenant another one's rows.
    """

    def put(self, tenant: str, entries: Sequence[IndexEntry]) -> list[str]:
        """Write each memory unless a newer version or its removal was seen.

        Return the texts that lack a vector.

        A text that the tenant has had embedded before gets that vector again.
        """

    def attach(self, tenant: str, vectors: Mapping[str, Vector]) -> None:
        """Give each of these texts its vector, wherever it is waited for."""

    def remove(self, removals: Sequence[Removal]) -> None:
        """Remove memories, also those whose older versions arrive later.

        Not where a removal is erased itself.
        """

    def pending(self, tenant: str, *, limit: int) -> list[str]:
        """Return texts that have no vector of the configured model yet, in an order of their own."""

    def waiting(self, tenant: str, memory_ids: Sequence[str]) -> set[str]:
        """Return those of the memories with a passage that has no vector yet."""

    def alike(
        self, tenant: str, scope: str, vectors: Sequence[Vector], *, at_least: float, now: datetime
    ) -> list[str]:
        """Return the ids of the scope's documents whose every passage is that similar, the most similar first."""

    def vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of those texts that the tenant has had embedded before."""

    def texts(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the passages of each of those memories that are there, in reading order."""

    def documents(self, within: SearchScope, *, limit: int, after: dict[str, str] | None) -> Page[str]:
        """Return the ids of documents, the newest first."""

    def search(
        self, within: SearchScope, *, terms: Sequence[str], vector: Vector | None
    ) -> SearchCandidates: ...
