"""The search index in dictionaries: the same memories found, every one of them looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from membus.core.errors import UnavailableError
from membus.core.pages import Page
from membus.llm.ports import Vector
from membus.search.model import Removal, is_live
from membus.search.retrieval import IndexEntry, SearchCandidates, SearchScope, search_entries
from tests.fakes.embedding_model import cosine

Key = tuple[str, str]


class InMemoryMemories:
    """`away` takes it down; `vectors_by_text` are those of one model."""

    def __init__(self) -> None:
        self.away = False
        self._entries: dict[Key, IndexEntry] = {}
        self._removed: dict[Key, int] = {}
        self._vectors: dict[Key, Vector] = {}

    def put(self, tenant: str, entries: Sequence[IndexEntry]) -> list[str]:
        self._check()
        waiting: list[str] = []
        for entry in entries:
            key = (tenant, entry.memory.memory_id)
            known = self._entries.get(key)
            newest = max(known.memory.version if known else 0, self._removed.get(key, -1) + 1)
            if entry.memory.version >= newest:
                self._entries[key] = entry
                waiting += (text for text in _texts(entry) if (tenant, text) not in self._vectors)
        return list(dict.fromkeys(waiting))

    def attach_vectors(self, tenant: str, vectors: Mapping[str, Vector]) -> None:
        self._check()
        self._vectors |= {(tenant, text): vector for text, vector in vectors.items()}

    def remove_memories(self, removals: Sequence[Removal]) -> None:
        self._check()
        for removal in removals:
            key = (removal.tenant_id, removal.memory_id)
            if not removal.erased:
                self._removed[key] = max(self._removed.get(key, -1), removal.version)
            elif self._removed.get(key, 0) <= removal.version:
                self._removed.pop(key, None)
            if key in self._entries and self._entries[key].memory.version <= removal.version:
                del self._entries[key]

    def list_pending_texts(self, tenant: str, *, limit: int) -> list[str]:
        self._check()
        texts = [
            text
            for entry in self._of(tenant)
            for text in _texts(entry)
            if (tenant, text) not in self._vectors
        ]
        return list(dict.fromkeys(texts))[:limit]

    def find_pending_memories(self, tenant: str, memory_ids: Sequence[str]) -> set[str]:
        self._check()
        mine = (entry for entry in self._of(tenant) if entry.memory.memory_id in memory_ids)
        return {
            entry.memory.memory_id
            for entry in mine
            if any((tenant, text) not in self._vectors for text in _texts(entry))
        }

    def find_similar_documents(
        self, tenant: str, scope: str, vectors: Sequence[Vector], *, at_least: float, now: datetime
    ) -> list[str]:
        self._check()
        near: list[tuple[float, str]] = []
        for entry in self._of(tenant):
            memory, texts = entry.memory, _texts(entry)
            mine = (memory.scope, memory.kind) == (scope, "document") and is_live(memory.expires_at, now)
            if mine and len(texts) == len(vectors) and all((tenant, text) in self._vectors for text in texts):
                pairs = zip((self._vectors[tenant, text] for text in texts), vectors, strict=True)
                near.append((min(cosine(one, other) for one, other in pairs), memory.memory_id))
        return [memory_id for similarity, memory_id in sorted(near, reverse=True) if similarity >= at_least]

    def get_vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        self._check()
        return {text: self._vectors[tenant, text] for text in texts if (tenant, text) in self._vectors}

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        self._check()
        wanted = (entry for entry in self._of(tenant) if entry.memory.memory_id in memory_ids)
        return {entry.memory.memory_id: [passage.text for passage in entry.passages] for entry in wanted}

    def list_documents(self, within: SearchScope, *, limit: int, after: dict[str, str] | None) -> Page[str]:
        self._check()
        mine = [entry.memory for entry in self._of(within.tenant_id) if within.can_see(entry.memory)]
        places = sorted(((memory.occurred_at.isoformat(), memory.memory_id) for memory in mine), reverse=True)
        left = [place for place in places if after is None or place < (after["at"], after["id"])]
        last = left[limit - 1] if len(left) > limit else None
        return Page(
            tuple(memory_id for _, memory_id in left[:limit]),
            {"at": last[0], "id": last[1]} if last else None,
        )

    def search(self, within: SearchScope, *, terms: Sequence[str], vector: Vector | None) -> SearchCandidates:
        self._check()

        def similarity(text: str) -> float | None:
            mine = self._vectors.get((within.tenant_id, text))
            return None if vector is None or mine is None else cosine(mine, vector)

        told = (told for entry in self._of(within.tenant_id) for told in entry.all_versions)
        seen = [entry for entry in told if within.can_see(entry.memory)]
        found = search_entries(seen, terms=terms, similarity=similarity)
        return replace(found, pending=self._pending(within))

    def _pending(self, within: SearchScope) -> int | None:
        mine = (told for entry in self._of(within.tenant_id) for told in entry.all_versions)
        texts = [p.embedded_text for told in mine if told.memory.scope == within.scope for p in told.passages]
        known = [text for text in texts if (within.tenant_id, text) in self._vectors]
        return len(texts) - len(known) if within.scope is not None else None

    def _of(self, tenant: str) -> list[IndexEntry]:
        return [entry for (owner, _), entry in sorted(self._entries.items()) if owner == tenant]

    def _check(self) -> None:
        if self.away:
            raise UnavailableError("the search index is away")


def _texts(entry: IndexEntry) -> list[str]:
    return [passage.embedded_text for told in entry.all_versions for passage in told.passages]
