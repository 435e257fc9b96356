"""Ports of search: documents, the index of memories, search for chat, and indexes of large scopes."""

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
    """Documents as they were put, from which the index can be made anew.

    A document of another tenant is as absent as one that never was.
    """

    def get_document(self, tenant: str, memory_id: str) -> Document:
        """Return the document; NotFoundError where there is none, or it is deleted or expired."""

    def get_documents(self, tenant: str, memory_ids: Sequence[str]) -> list[Document]:
        """Return the documents that exist, in the order of their ids here."""

    def get_latest_version(self, tenant: str, memory_id: str) -> Document | None:
        """Return what is stored under the id, deleted or expired included; a new version follows it."""

    def put(self, document: Document) -> None:
        """Write the version that follows the stored one.

        Raises:
            ConflictError: `document.version` does not follow the stored version, which the error carries.
        """


class MemoryIndex(Protocol):
    """Memories of every kind, cut into passages with their vectors; made from the stores, so rebuildable.

    A memory of another tenant is as absent as one that never was.

    Raises:
        UnavailableError: the database is down, resuming or busy.
        IsolationError: it would show one tenant another one's rows.
    """

    def put(self, tenant: str, entries: Sequence[IndexEntry]) -> list[str]:
        """Write each memory unless a newer version or its removal is known; return texts that lack a vector.

        A text that was embedded for the tenant before gets that vector again.
        """

    def attach_vectors(self, tenant: str, vectors: Mapping[str, Vector]) -> None:
        """Give each of these texts its vector, in every passage that lacks one."""

    def remove_memories(self, removals: Sequence[Removal]) -> None:
        """Remove memories, so that older versions that arrive later are ignored, but for erased ones."""

    def list_pending_texts(self, tenant: str, *, limit: int) -> list[str]:
        """Return texts without a vector of the configured model, in no particular order."""

    def find_pending_memories(self, tenant: str, memory_ids: Sequence[str]) -> set[str]:
        """Return the memories with a passage that has no vector yet."""

    def find_similar_documents(
        self, tenant: str, scope: str, vectors: Sequence[Vector], *, at_least: float, now: datetime
    ) -> list[str]:
        """Return the ids of the scope's documents whose every passage is that similar, most similar first."""

    def get_vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of the texts that were embedded for the tenant before."""

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the passages of the memories that exist, in reading order."""

    def list_documents(self, within: SearchScope, *, limit: int, after: dict[str, str] | None) -> Page[str]:
        """Return the ids of documents, newest first."""

    def search(
        self, within: SearchScope, *, terms: Sequence[str], vector: Vector | None
    ) -> SearchCandidates: ...


class MemorySearchClient(Protocol):
    """Search as chat uses it; raises UnavailableError where it does not answer in time."""

    def search(self, owner: Owner, message: str, *, agent: str, limit: int) -> list[RecalledPassage]:
        """Return passages that may answer the message, best first.

        They are of the user's memory without what other agents keep, and of the documents of the agent and of
        the whole tenant.
        """

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return all passages of the memories that still exist."""


class LargeScope(NamedTuple):
    tenant: str
    model: str
    scope: str


class ScopeIndexes(Protocol):
    """Approximate vector indexes of large scopes, as the owner of the schema sees them."""

    def list_large_scopes(self, *, at_least: int) -> Sequence[LargeScope]:
        """Return the scopes with so many vectors of one model, largest first, without counting rows."""

    def oldest_pending_time(self, model: str) -> datetime | None:
        """Return when the oldest text without a vector of the model was written, None where there is none."""

    def list_indexes(self) -> Mapping[str, bool]:
        """Return the indexes by name, and whether each is complete: one that was cut off serves no search."""

    def index_name(self, scope: LargeScope) -> str: ...

    def create_index(self, scope: LargeScope) -> None:
        """Create the index while others read and write; raises UnavailableError or InvalidError."""

    def drop_index(self, name: str) -> None: ...
