"""Documents as they were put: what the search index is made from, and made anew.

The search index: memories of every kind, cut into passages, each with its vector.

Search as chat sees it: passages for a message, and the words of those that a reply rested on.

Approximate indexes for the vectors of large scopes, as the one who owns the schema makes them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from membus.conversations.recall import RecalledPassage
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.llm.ports import Vector
from membus.search.model import Document, Removal
from membus.search.retrieval import IndexEntry, SearchCandidates, SearchScope


class DocumentStore(Protocol):
    """Every method names the tenant: a document of another tenant is as absent as one that never was."""

    def get_document(self, tenant: str, memory_id: str) -> Document:
        """Return the document; NotFoundError where there is none, or it is deleted or expired."""

    def get_documents(self, tenant: str, memory_ids: Sequence[str]) -> list[Document]:
        """Return those of the documents that there are, in the order asked for."""

    def get_latest_version(self, tenant: str, memory_id: str) -> Document | None:
        """Return what is stored under the id, deleted or expired included.

        A new document there follows it.
        """

    def put(self, document: Document) -> None:
        """Write the version that follows the stored one.

        Raises:
            ConflictError: `document.version` does not follow what is stored, whose version the error carries.
        """


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

    def attach_vectors(self, tenant: str, vectors: Mapping[str, Vector]) -> None:
        """Give each of these texts its vector, wherever it is waited for."""

    def remove_memories(self, removals: Sequence[Removal]) -> None:
        """Remove memories, also those whose older versions arrive later.

        Not where a removal is erased itself.
        """

    def list_pending_texts(self, tenant: str, *, limit: int) -> list[str]:
        """Return texts that have no vector of the configured model yet, in an order of their own."""

    def find_pending_memories(self, tenant: str, memory_ids: Sequence[str]) -> set[str]:
        """Return those of the memories with a passage that has no vector yet."""

    def find_similar_documents(
        self, tenant: str, scope: str, vectors: Sequence[Vector], *, at_least: float, now: datetime
    ) -> list[str]:
        """Return the ids of the scope's documents whose every passage is that similar, the most similar first."""

    def get_vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of those texts that the tenant has had embedded before."""

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the passages of each of those memories that are there, in reading order."""

    def list_documents(self, within: SearchScope, *, limit: int, after: dict[str, str] | None) -> Page[str]:
        """Return the ids of documents, the newest first."""

    def search(
        self, within: SearchScope, *, terms: Sequence[str], vector: Vector | None
    ) -> SearchCandidates: ...


class MemorySearchClient(Protocol):
    """Raises UnavailableError where the search does not answer in time."""

    def search(self, owner: Owner, message: str, *, limit: int) -> list[RecalledPassage]:
        """Return passages of the user's memory that may answer the message, the best first."""

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return all passages of each of those memories that are still there."""


class LargeScope(NamedTuple):
    tenant: str
    model: str
    scope: str


class ScopeIndexes(Protocol):
    def list_large_scopes(self, *, at_least: int) -> Sequence[LargeScope]:
        """Return the scopes with so many vectors of one model, the largest first.

        Nothing is counted for it.
        """

    def oldest_pending_time(self, model: str) -> datetime | None:
        """Return when the text was written that has waited longest for its vector; None where none does."""

    def list_indexes(self) -> Mapping[str, bool]:
        """Return the indexes there are by name, and whether each is whole.

        One that was cut off serves nobody.
        """

    def index_name(self, scope: LargeScope) -> str: ...

    def create_index(self, scope: LargeScope) -> None:
        """Make the index while others read and write; raises UnavailableError or InvalidError."""

    def drop_index(self, name: str) -> None: ...
