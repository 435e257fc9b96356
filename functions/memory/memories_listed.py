"""The documents of a tenant as pages: the index knows their order, the store their content."""

from datetime import datetime

from functions.memory.cursors import read_cursor, write_cursor
from functions.memory.memories_api import MemoryOut, MemoryPage
from membus.domain.erasure import Hidden
from membus.domain.filters import Filter
from membus.domain.memory import scope_of
from membus.domain.retrieval import Within
from membus.ports.documents import DocumentStore
from membus.ports.memories import MemoryIndex
from membus.ports.sealer import Sealer


def listed(
    tenant: str, user: str | None, agent: str | None, wanted: Filter | None, now: datetime, *, hidden: Hidden
) -> Within:
    return Within(
        tenant_id=tenant, now=now, scope=scope_of(user, None) if user else None, agent_id=agent,
        kinds=("document",), filter=wanted, without=hidden.users,
    )  # fmt: skip


def list_memories(
    within: Within, *, limit: int, cursor: str | None, index: MemoryIndex, documents: DocumentStore, sealer: Sealer
) -> MemoryPage:
    query = f"memories\n{within.tenant_id}\n{within.scope}\n{within.agent_id}\n{within.filter}"
    page = index.documents(within, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    items = [MemoryOut.of(each) for each in documents.documents(within.tenant_id, page.items)]
    return MemoryPage(items=items, next_cursor=write_cursor(page.after, query=query, sealer=sealer))
