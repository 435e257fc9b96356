"""Memories with every field defaulted, and an index that has them embedded."""

from collections.abc import Iterable
from typing import Any

from membus.search.indexer import Indexer
from membus.search.model import Memory
from membus.search.ports import MemoryIndex
from membus.search.query import parse_query
from membus.search.ranking import rank_passages
from membus.search.retrieval import SearchCandidates, SearchScope
from tests.factories import NOON
from tests.fakes.embedding_model import WordEmbeddingModel, vector_of

LATER = NOON.replace(year=NOON.year + 1)


def a_memory(
    memory_id: str = "m1", text: str = "Ada likes tea", *, tenant: str = "acme", **fields: Any
) -> Memory:
    defaults: dict[str, Any] = {
        "tenant_id": tenant,
        "memory_id": memory_id,
        "kind": "document",
        "text": text,
        "user_id": "ada",
        "occurred_at": NOON,
    }
    return Memory.model_validate(defaults | fields)


def fill(index: MemoryIndex, *memories: Memory, embedder: WordEmbeddingModel | None = None) -> None:
    """Put memories the way the functions do: cut into passages, embedded, each tenant's for itself."""
    words = embedder or WordEmbeddingModel()
    indexer = Indexer(lambda _: words, index)
    for tenant in {memory.tenant_id for memory in memories}:
        indexer.index_memories(tenant, [memory for memory in memories if memory.tenant_id == tenant])


def look(
    index: MemoryIndex, query: str, *, mode: str = "hybrid", tenant: str = "acme", **within: Any
) -> list[str]:
    """Return the ids of what a search shows, the best first."""
    asked = parse_query(query, now=NOON.date())
    vector = None if mode == "text" else vector_of(query)
    terms = () if mode == "vector" else asked.terms
    found = index.search(
        SearchScope(tenant_id=tenant, **{"now": LATER, **within}), terms=terms, vector=vector
    )
    ranked = rank_passages(asked, found.rows, found.scope, limit=len(found.rows))
    return [
        each.row.group_id
        for each in ranked
        if each.row.id in found.about and (mode != "text" or each.matched)
    ]


def shown(found: SearchCandidates) -> set[str]:
    return {about.memory_id for about in found.about.values()}


def ids(memories: Iterable[Memory]) -> list[str]:
    return [memory.memory_id for memory in memories]
