"""Documents at the door: put once however often they are sent, searchable the moment the answer is there.

The documents of a tenant as pages: the index knows their order, the store their content.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from functions.api.cursors import read_cursor, write_cursor
from functions.api.memories.schemas import MemoryIn, MemoryOut, MemoryPage, MemoryPatch, MemoryReceipt
from membus.core.blobs import is_large_text
from membus.core.clock import Clock
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import ConflictError, InvalidError, UnavailableError
from membus.core.pages import CursorSigner, Page
from membus.llm.ports import Vector
from membus.search.filters import Filter
from membus.search.indexer import Indexer
from membus.search.model import (
    DUPLICATE_SIMILARITY,
    METADATA_BYTES_MAX,
    Document,
    document_id,
    has_same_details,
    has_same_words,
    is_live,
    memory_scope,
)
from membus.search.ports import DocumentStore, MemoryIndex
from membus.search.retrieval import SearchScope, index_entry

PUT_TRIES = 3
UPDATE_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True)
class DocumentLibrary:
    """Where documents are kept, and where they are found; the first decides, the second follows."""

    documents: DocumentStore
    index: MemoryIndex
    indexer: Indexer
    clock: Clock

    def put_memories(self, tenant: str, items: Sequence[MemoryIn]) -> list[MemoryReceipt]:
        """Keep each text, or merge it into the memory that says the same already.

        A memory that could not be indexed or embedded now is kept all the same and is `pending`: the stream
        of the table brings it to the index. A long text is found by its words at once and embedded behind the
        stream: its thousands of passages would outlast the request.
        """
        now = self.clock()
        for item in items:
            _check_document(item.metadata, item.expires_at, now)
        texts = [
            passage.embedded_text
            for item in items
            if not is_large_text(item.text)
            for passage in index_entry(_new_document(tenant, item, now).as_memory()).passages
        ]
        vectors = self._vectors(tenant, texts)
        return [self._take(index, tenant, item, vectors) for index, item in enumerate(items)]

    def patch_memory(
        self, tenant: str, memory_id: str, change: MemoryPatch, *, expected_version: int | None
    ) -> Document:
        """Return the changed document.

        Raises:
            ConflictError: `version_conflict`, it is no longer at the expected version.
        """
        known = self._expected(tenant, memory_id, expected_version)
        changed = change.model_dump(include=change.model_fields_set - {"expected_version"})
        given = {name: value for name, value in changed.items() if value is not None or name == "expires_at"}
        _check_document(given.get("metadata", {}), given.get("expires_at"), self.clock())
        return self._store(self._next(known, given))[0]

    def delete_memory(self, tenant: str, memory_id: str, *, expected_version: int | None) -> None:
        known = self._expected(tenant, memory_id, expected_version)
        gone = self._next(known, {"text": "", "metadata": {}, "deleted": True})
        self.documents.put(gone)
        try:
            self.index.remove_memories([gone.as_removal()])
        except UnavailableError:
            return  # the stream brings the removal to the index as soon as it is back

    def _take(self, index: int, tenant: str, item: MemoryIn, vectors: Mapping[str, Vector]) -> MemoryReceipt:
        for tries_left in reversed(range(PUT_TRIES)):
            try:
                return self._once(index, _new_document(tenant, item, self.clock()), item, vectors)
            except ConflictError:
                if not tries_left:
                    raise
        raise AssertionError("every try returns or raises")

    def _once(
        self, index: int, fresh: Document, item: MemoryIn, vectors: Mapping[str, Vector]
    ) -> MemoryReceipt:
        placed, known = self._placed(fresh)
        known = known or self._alike(fresh, vectors)
        document = self._merged(known, item) if known else placed
        if document == known:
            return _put_receipt(index, document, merged=True, ready=self._is_ready(document))
        stored, ready = self._store(document)
        return _put_receipt(index, stored, merged=known is not None, ready=ready)

    def _placed(self, fresh: Document) -> tuple[Document, Document | None]:
        """Return the document under its id, and the one of the same words that lies there already.

        A memory that was changed to other words keeps its id: who sends the old words again gets the next
        one.
        """
        for again in count():
            memory_id = document_id(fresh.user_id, fresh.agent_id, fresh.text, again=again)
            there = self.documents.get_documents(fresh.tenant_id, [memory_id])
            if not there:
                return self._after(
                    self.documents.get_latest_version(fresh.tenant_id, memory_id), fresh, memory_id
                ), None
            if has_same_words(there[0].text, fresh.text):
                return fresh, there[0]
        raise AssertionError("counting never ends")

    def _after(self, gone: Document | None, fresh: Document, memory_id: str) -> Document:
        """Return the document as the successor of one deleted or expired under the same id."""
        if gone is None:
            return fresh.model_copy(update={"memory_id": memory_id})
        return self._next(gone, fresh.model_dump(exclude={"memory_id", "version", "updated_at"}))

    def _alike(self, fresh: Document, vectors: Mapping[str, Vector]) -> Document | None:
        """Return the document of the same owner that says the same in other words."""
        passages = [passage.embedded_text for passage in index_entry(fresh.as_memory()).passages]
        if not all(text in vectors for text in passages):
            return None
        try:
            near = self.index.find_similar_documents(
                fresh.tenant_id,
                fresh.scope,
                [vectors[text] for text in passages],
                at_least=DUPLICATE_SIMILARITY,
                now=self.clock(),
            )
        except UnavailableError:
            return None
        for known in self.documents.get_documents(fresh.tenant_id, near):
            if known.agent_id == fresh.agent_id and has_same_details(known.text, fresh.text):
                return known
        return None

    def _merged(self, known: Document, item: MemoryIn) -> Document:
        """Return the document with the newer words and both metadata; it lives as long as either would."""
        ends = (known.expires_at, item.expires_at)
        wanted = {
            "text": item.text,
            "metadata": known.metadata | item.metadata,
            "expires_at": None if None in ends else max(end for end in ends if end),
        }
        if wanted == known.model_dump(include=set(wanted)):
            return known
        return self._next(known, wanted)

    def _next(self, known: Document, changes: Mapping[str, object]) -> Document:
        moment = max(self.clock(), known.updated_at + UPDATE_STEP)
        return known.model_copy(update={**changes, "updated_at": moment, "version": known.version + 1})

    def _expected(self, tenant: str, memory_id: str, expected_version: int | None) -> Document:
        known = self.documents.get_document(tenant, memory_id)
        if expected_version not in {None, known.version}:
            raise ConflictError("the memory has changed", code="version_conflict", version=known.version)
        return known

    def _store(self, document: Document) -> tuple[Document, bool]:
        """Keep the document and bring it to the index; say whether its meaning can be searched already."""
        self.documents.put(document)
        try:
            if is_large_text(document.text):
                return document, self.indexer.index_words(document.tenant_id, document.as_memory())
            self.indexer.index_memories(document.tenant_id, [document.as_memory()])
        except UnavailableError:
            return document, False
        return document, True

    def _vectors(self, tenant: str, texts: Sequence[str]) -> Mapping[str, Vector]:
        try:
            return self.indexer.get_vectors(tenant, list(dict.fromkeys(texts)))
        except UnavailableError:
            return {}

    def _is_ready(self, document: Document) -> bool:
        try:
            return not self.index.find_pending_memories(document.tenant_id, [document.memory_id])
        except UnavailableError:
            return False


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


def _put_receipt(index: int, document: Document, *, merged: bool, ready: bool) -> MemoryReceipt:
    state = "ready" if ready else "pending"
    return MemoryReceipt(
        index=index, id=document.memory_id, version=document.version, merged=merged, vector_state=state
    )


ANSWER_BYTES_MAX = 4_000_000
"""Of texts in one answer: the rest of the 6 MB that Lambda hands out is for metadata and quotes."""


def documents_scope(
    tenant: str,
    user: str | None,
    agent: str | None,
    wanted: Filter | None,
    now: datetime,
    *,
    hidden: SubjectsBeingErased,
) -> SearchScope:
    return SearchScope(
        tenant_id=tenant,
        now=now,
        scope=memory_scope(user, None) if user else None,
        agent_id=agent,
        kinds=("document",),
        filter=wanted,
        without=hidden.users,
    )


def list_memories(
    within: SearchScope,
    *,
    limit: int,
    cursor: str | None,
    index: MemoryIndex,
    documents: DocumentStore,
    sealer: CursorSigner,
) -> MemoryPage:
    query = f"memories\n{within.tenant_id}\n{within.scope}\n{within.agent_id}\n{within.filter}"
    page = index.list_documents(within, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    items, after = _fit_page(page, within.tenant_id, documents)
    return MemoryPage(items=items, next_cursor=write_cursor(after, query=query, sealer=sealer))


def _fit_page(
    page: Page[str], tenant: str, documents: DocumentStore
) -> tuple[list[MemoryOut], dict[str, str] | None]:
    """Return as many of a page as an answer holds, one at least, and where the next page begins."""
    items: list[MemoryOut] = []
    room = ANSWER_BYTES_MAX
    for memory_id in page.items:
        for document in documents.get_documents(tenant, [memory_id]):
            room -= len(document.text.encode())
            if room < 0 and items:
                return items, {"at": items[-1].created_at.isoformat(), "id": items[-1].id}
            items.append(MemoryOut.from_document(document))
    return items, page.after
