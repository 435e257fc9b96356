"""The documents of a tenant as pages: the index knows their order, the store their content."""

from datetime import datetime

from functions.memory.cursors import read_cursor, write_cursor
from functions.memory.memories_api import MemoryOut, MemoryPage
from membus.domain.erasure import SubjectsBeingErased
from membus.domain.filters import Filter
from membus.domain.memory import memory_scope
from membus.domain.pages import Page
from membus.domain.retrieval import SearchScope
from membus.ports.documents import DocumentStore
from membus.ports.memories import MemoryIndex
from membus.ports.sealer import CursorSigner

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
    page = index.documents(within, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    items, after = _fit_page(page, within.tenant_id, documents)
    return MemoryPage(items=items, next_cursor=write_cursor(after, query=query, sealer=sealer))


def _fit_page(
    page: Page[str], tenant: str, documents: DocumentStore
) -> tuple[list[MemoryOut], dict[str, str] | None]:
    """Return as many of a page as an answer holds, one at least, and where the next page begins."""
    items: list[MemoryOut] = []
    room = ANSWER_BYTES_MAX
    for memory_id in page.items:
        for document in documents.documents(tenant, [memory_id]):
            room -= len(document.text.encode())
            if room < 0 and items:
                return items, {"at": items[-1].created_at.isoformat(), "id": items[-1].id}
            items.append(MemoryOut.of(document))
    return items, page.after
