"""Documents of a tenant: put once however often they are sent, changed by version, and listed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from functions.api.memories.schemas import MemoryIn, MemoryOut, MemoryPage, MemoryPatch, MemoryReceipt
from functions.api.pages import PageRequest
from membus.core.blobs import is_large_text
from membus.core.clock import Clock
from membus.core.errors import ConflictError, InvalidError, UnavailableError
from membus.core.pages import Page
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.llm.ports import Vector
from membus.search.indexer import Indexer
from membus.search.model import (
    DUPLICATE_SIMILARITY,
    METADATA_BYTES_MAX,
    Document,
    document_id,
    has_same_words,
    is_live,
)
from membus.search.ports import DocumentStore, MemoryIndex
from membus.search.retrieval import SearchScope, index_entry

PUT_RETRY = RetryPolicy(tries=3, pause_seconds=0.02)
UPDATE_STEP = timedelta(milliseconds=1)
ANSWER_BYTES_MAX = 4_000_000
"""Bytes of text in one answer; the rest of the 6 MB that Lambda returns is for metadata and quotes."""


@dataclass(frozen=True)
class DocumentLibrary:
    """Writes documents: the store decides, the index follows."""

    documents: DocumentStore
    index: MemoryIndex
    indexer: Indexer
    clock: Clock

    def put_memories(self, tenant: str, items: Sequence[MemoryIn]) -> list[MemoryReceipt]:
        """Store each text, or add its metadata to the document of the same words; name near texts.

        A document that cannot be indexed or embedded now is stored as `pending`: the table's stream brings it
        to the index. A long text is found by its words at once and embedded after the stream, because its
        thousands of passages would outlast the request.
        """
        now = self.clock()
        for item in items:
            _check_document(item.metadata, item.expires_at, now)
        texts = [
            text
            for item in items
            if not is_large_text(item.text)
            for text in _embedded_texts(_new_document(tenant, item, now))
        ]
        vectors = self._get_vectors(tenant, texts)
        return [self._put_item(index, tenant, item, vectors) for index, item in enumerate(items)]

    def patch_memory(
        self, tenant: str, memory_id: str, change: MemoryPatch, *, expected_version: int | None
    ) -> Document:
        """Return the changed document.

        Raises:
            ConflictError: `version_conflict`, it is no longer at the expected version.
        """
        known = self._get_expected(tenant, memory_id, expected_version)
        named = change.model_dump(include=change.model_fields_set - {"expected_version"})
        changes = {name: value for name, value in named.items() if value is not None or name == "expires_at"}
        _check_document(changes.get("metadata", {}), changes.get("expires_at"), self.clock())
        return self._store(self._next_version(known, changes))[0]

    def delete_memory(self, tenant: str, memory_id: str, *, expected_version: int | None) -> None:
        known = self._get_expected(tenant, memory_id, expected_version)
        deleted = self._next_version(known, {"text": "", "metadata": {}, "deleted": True})
        self.documents.put(deleted)
        try:
            self.index.remove_memories([deleted.as_removal()])
        except UnavailableError:
            return  # the stream brings the removal to the index as soon as it is back

    def _put_item(
        self, index: int, tenant: str, item: MemoryIn, vectors: Mapping[str, Vector]
    ) -> MemoryReceipt:
        return commit_with_retry(
            lambda _: _new_document(tenant, item, self.clock()),
            lambda new: self._put_or_merge(index, new, item, vectors),
            policy=PUT_RETRY,
        )

    def _put_or_merge(
        self, index: int, new: Document, item: MemoryIn, vectors: Mapping[str, Vector]
    ) -> MemoryReceipt:
        document, known = self._find_place(new)
        if known:
            document = self._merge(known, item)
        if document == known:
            ready = self._is_ready(document)
        else:
            document, ready = self._store(document)
        return MemoryReceipt(
            index=index,
            id=document.memory_id,
            version=document.version,
            merged=known is not None,
            similar_to=self._find_similar(new, document.memory_id, vectors),
            vector_state="ready" if ready else "pending",
        )

    def _find_place(self, new: Document) -> tuple[Document, Document | None]:
        """Return the document under a free id, and the stored one of the same words, if any.

        A document that was changed to other words keeps its id, so the old words get the next one.
        """
        for again in count():
            memory_id = document_id(new.user_id, new.agent_id, new.text, again=again)
            stored = self.documents.get_documents(new.tenant_id, [memory_id])
            if not stored:
                gone = self.documents.get_latest_version(new.tenant_id, memory_id)
                return self._follow(gone, new, memory_id), None
            if has_same_words(stored[0].text, new.text):
                return new, stored[0]
        raise AssertionError("counting never ends")

    def _follow(self, gone: Document | None, new: Document, memory_id: str) -> Document:
        """Return the document as the successor of a deleted or expired one under the same id."""
        if gone is None:
            return new.model_copy(update={"memory_id": memory_id})
        return self._next_version(gone, new.model_dump(exclude={"memory_id", "version", "updated_at"}))

    def _find_similar(self, new: Document, memory_id: str, vectors: Mapping[str, Vector]) -> list[str]:
        """Return the ids of the same owner's other documents that sound alike, the most similar first."""
        texts = _embedded_texts(new)
        if not all(text in vectors for text in texts):
            return []
        try:
            similar = self.index.find_similar_documents(
                new.tenant_id,
                new.scope,
                [vectors[text] for text in texts],
                at_least=DUPLICATE_SIMILARITY,
                now=self.clock(),
            )
        except UnavailableError:
            return []
        known = self.documents.get_documents(new.tenant_id, [each for each in similar if each != memory_id])
        return [each.memory_id for each in known if each.agent_id == new.agent_id]

    def _merge(self, known: Document, item: MemoryIn) -> Document:
        """Return the document as written now, with both metadata and the later of both ends."""
        ends = (known.expires_at, item.expires_at)
        changes = {
            "text": item.text,
            "metadata": known.metadata | item.metadata,
            "expires_at": None if None in ends else max(end for end in ends if end),
        }
        is_same = changes == known.model_dump(include=set(changes))
        return known if is_same else self._next_version(known, changes)

    def _next_version(self, known: Document, changes: Mapping[str, object]) -> Document:
        moment = max(self.clock(), known.updated_at + UPDATE_STEP)
        return known.model_copy(update={**changes, "updated_at": moment, "version": known.version + 1})

    def _get_expected(self, tenant: str, memory_id: str, expected_version: int | None) -> Document:
        known = self.documents.get_document(tenant, memory_id)
        if expected_version not in {None, known.version}:
            raise ConflictError("the memory has changed", code="version_conflict", version=known.version)
        return known

    def _store(self, document: Document) -> tuple[Document, bool]:
        """Store and index the document; return whether all its vectors are there, too."""
        self.documents.put(document)
        try:
            if is_large_text(document.text):
                return document, self.indexer.index_words(document.tenant_id, document.as_memory())
            self.indexer.index_memories(document.tenant_id, [document.as_memory()])
        except UnavailableError:
            return document, False
        return document, True

    def _get_vectors(self, tenant: str, texts: Sequence[str]) -> Mapping[str, Vector]:
        try:
            return self.indexer.get_vectors(tenant, list(dict.fromkeys(texts)))
        except UnavailableError:
            return {}

    def _is_ready(self, document: Document) -> bool:
        try:
            return not self.index.find_pending_memories(document.tenant_id, [document.memory_id])
        except UnavailableError:
            return False


def _embedded_texts(document: Document) -> list[str]:
    return [passage.embedded_text for passage in index_entry(document.as_memory()).passages]


def _new_document(tenant: str, item: MemoryIn, now: datetime) -> Document:
    return Document(
        memory_id=document_id(item.user_id, item.agent_id, item.text, again=0),
        tenant_id=tenant,
        created_at=now,
        updated_at=now,
        **item.model_dump(),
    )


def _check_document(metadata: Mapping[str, object], expires_at: datetime | None, now: datetime) -> None:
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > METADATA_BYTES_MAX:
        raise InvalidError(f"metadata takes at most {METADATA_BYTES_MAX} bytes", code="payload_too_large")
    if not is_live(expires_at, now):
        raise InvalidError("expires_at: this moment has passed")


def list_memories(
    scope: SearchScope, *, page: PageRequest, index: MemoryIndex, documents: DocumentStore
) -> MemoryPage:
    """Return a page of documents: the index knows their order, the store their content."""
    query = page.for_query("memories", scope.tenant_id, scope.scope, scope.agent_id, scope.filter)
    found = index.list_documents(scope, limit=query.limit, after=query.after)
    items, after = _load_fitting(found, scope.tenant_id, documents)
    return MemoryPage(items=items, next_cursor=query.next_cursor(after))


def _load_fitting(
    page: Page[str], tenant: str, documents: DocumentStore
) -> tuple[list[MemoryOut], dict[str, str] | None]:
    """Return as many documents as an answer holds, at least one, and the key before the next page."""
    items: list[MemoryOut] = []
    bytes_left = ANSWER_BYTES_MAX
    for memory_id in page.items:
        for document in documents.get_documents(tenant, [memory_id]):
            bytes_left -= len(document.text.encode())
            if bytes_left < 0 and items:
                return items, {"at": items[-1].created_at.isoformat(), "id": items[-1].id}
            items.append(MemoryOut.from_document(document))
    return items, page.after
