"""Documents in a dictionary, each version following the one before."""

from collections.abc import Sequence

from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.search.model import Document, is_live


class InMemoryDocuments:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[tuple[str, str], Document] = {}

    def get_document(self, tenant: str, memory_id: str) -> Document:
        document = self._documents.get((tenant, memory_id))
        if document is None or document.deleted or not is_live(document.expires_at, self._clock()):
            raise NotFoundError("no such memory")
        return document

    def get_documents(self, tenant: str, memory_ids: Sequence[str]) -> list[Document]:
        found = (self._documents.get((tenant, memory_id)) for memory_id in memory_ids)
        return [
            each for each in found if each and not each.deleted and is_live(each.expires_at, self._clock())
        ]

    def get_latest_version(self, tenant: str, memory_id: str) -> Document | None:
        return self._documents.get((tenant, memory_id))

    def put(self, document: Document) -> None:
        stored = self.get_latest_version(document.tenant_id, document.memory_id)
        version = stored.version if stored else 0
        if document.version != version + 1:
            raise ConflictError("the memory has changed", code="version_conflict", version=version)
        self._documents[document.tenant_id, document.memory_id] = document
