"""The search index in Postgres: passages in `membus.memories`, their vectors in `membus.vectors`, removals.

A passage is one row; `group_id` is its memory.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

from psycopg import Cursor
from psycopg.types.json import Jsonb

from membus.aws.postgres import HalfVector, PostgresConnection, TenantTransactions
from membus.core.pages import Page
from membus.llm.ports import Vector
from membus.search.model import Removal
from membus.search.postgres import statements
from membus.search.postgres.search import list_documents, search_passages
from membus.search.retrieval import IndexEntry, SearchCandidates, SearchScope, passage_id


def passage_rows(entry: IndexEntry) -> list[dict[str, Any]]:
    return [row for version in entry.all_versions for row in _entry_rows(version)]


def _entry_rows(entry: IndexEntry) -> list[dict[str, Any]]:
    memory = entry.memory
    shared = {
        "tenant": memory.tenant_id,
        "scope": memory.scope,
        "memory": memory.memory_id,
        "kind": memory.kind,
        "agent": memory.agent_id,
        "session": memory.session,
        "speaker": _storable(memory.speaker),
        "metadata": Jsonb(_storable(memory.metadata)),
        "source": Jsonb(memory.source.model_dump(exclude_none=True)),
        "message_length": entry.stem_count,
        "occurred_at": memory.occurred_at,
        "valid_until": memory.valid_until,
        "expires_at": memory.expires_at,
        "version": memory.version,
    }
    return [
        shared
        | {
            "id": passage_id(memory, passage),
            "part": passage.part,
            "text": _storable(passage.text),
            "embedded_text": _storable(passage.embedded_text),
            "hash": content_hash(passage.embedded_text),
            "stems": passage.stems,
            "length": passage.length,
        }
        for passage in entry.passages
    ]


def content_hash(embedded_text: str) -> str:
    return hashlib.sha256(_storable(embedded_text).encode()).hexdigest()


def _storable(value: Any) -> Any:
    """Return the value without NULs, which DynamoDB takes and Postgres does not."""
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case list():
            return [_storable(member) for member in value]
        case dict():
            return {_storable(name): _storable(member) for name, member in value.items()}
        case _:
            return value


def vector_literal(vector: Vector) -> str:
    """Return the vector as pgvector reads it."""
    return f"[{','.join(map(repr, map(float, vector)))}]"


class PostgresMemories:
    """`model` names the vectors that are written and searched; those of other models stay."""

    def __init__(self, transactions: TenantTransactions, *, model: str) -> None:
        self._transactions, self._model = transactions, model

    def put(self, tenant: str, entries: Sequence[IndexEntry]) -> list[str]:
        if not entries:
            return []
        return self._transactions.run_transaction(
            tenant, lambda connection: self._put(connection, tenant, entries)
        )

    def attach_vectors(self, tenant: str, vectors: Mapping[str, Vector]) -> None:
        rows = [
            {"tenant": tenant, "model": self._model, "hash": content_hash(text), "vector": HalfVector(vector)}
            for text, vector in sorted(vectors.items())
        ]
        if rows:
            self._transactions.run_transaction(
                tenant, lambda connection: _execute_many(connection, statements.ATTACH_VECTORS, rows)
            )

    def remove_memories(self, removals: Sequence[Removal]) -> None:
        by_tenant: dict[str, list[Removal]] = {}
        for removal in removals:
            by_tenant.setdefault(removal.tenant_id, []).append(removal)
        for tenant, mine in by_tenant.items():
            self._transactions.run_transaction(
                tenant, partial(_remove_memories, tenant=tenant, removals=mine)
            )

    def list_pending_texts(self, tenant: str, *, limit: int) -> list[str]:
        asked = f"SELECT DISTINCT m.embedded_text {statements.WITHOUT_VECTOR} LIMIT %(limit)s"
        return self._texts(tenant, asked, {"limit": limit})

    def find_pending_memories(self, tenant: str, memory_ids: Sequence[str]) -> set[str]:
        asked = f"SELECT DISTINCT m.group_id {statements.WITHOUT_VECTOR} AND m.group_id = ANY(%(memories)s)"
        return set(self._texts(tenant, asked, {"memories": list(memory_ids)}))

    def find_similar_documents(
        self, tenant: str, scope: str, vectors: Sequence[Vector], *, at_least: float, now: datetime
    ) -> list[str]:
        wanted = {
            "scope": scope,
            "vectors": [vector_literal(vector) for vector in vectors],
            "parts": len(vectors),
            "distance": 1 - at_least,
            "now": now,
        }
        return self._texts(tenant, statements.SIMILAR_DOCUMENTS, wanted)

    def get_vectors(self, tenant: str, texts: Sequence[str]) -> dict[str, Vector]:
        hashes = {content_hash(text): text for text in texts}
        named = {"tenant": tenant, "model": self._model, "hashes": list(hashes)}
        rows = self._transactions.run_transaction(
            tenant, lambda connection: connection.execute(statements.KNOWN_VECTORS, named).fetchall
        )
        return {hashes[content]: json.loads(vector) for content, vector in rows}

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        named = {"tenant": tenant, "memories": list(memory_ids)}
        rows = self._transactions.run_transaction(
            tenant, lambda connection: connection.execute(statements.PASSAGE_TEXTS, named).fetchall
        )
        texts: dict[str, list[str]] = {}
        for memory_id, text in rows:
            texts.setdefault(memory_id, []).append(text)
        return texts

    def list_documents(self, within: SearchScope, *, limit: int, after: dict[str, str] | None) -> Page[str]:
        return self._transactions.run_transaction(
            within.tenant_id, lambda connection: list_documents(connection, within, limit=limit, after=after)
        )

    def search(self, within: SearchScope, *, terms: Sequence[str], vector: Vector | None) -> SearchCandidates:
        return self._transactions.run_transaction(
            within.tenant_id,
            lambda connection: search_passages(
                connection, within, model=self._model, terms=terms, vector=vector
            ),
        )

    def _texts(self, tenant: str, asked: str, parameters: dict[str, Any]) -> list[str]:
        values = {"tenant": tenant, "model": self._model, **parameters}
        return self._transactions.run_transaction(
            tenant, lambda connection: partial(_first_column, connection.execute(asked.encode(), values))
        )

    def _put(
        self, connection: PostgresConnection, tenant: str, entries: Sequence[IndexEntry]
    ) -> Callable[[], list[str]]:
        memories = [entry.memory.memory_id for entry in entries]
        named = {"tenant": tenant, "model": self._model, "memories": memories}
        connection.execute(statements.LOCK_MEMORIES, named)
        seen: dict[str, int] = dict(connection.execute(statements.KNOWN_VERSIONS, named).fetchall())
        current = [entry for entry in entries if entry.memory.version >= seen.get(entry.memory.memory_id, 0)]
        # A write locks the counter of its scope: in one order, or two writers would wait for each other.
        rows = sorted((row for entry in current for row in passage_rows(entry)), key=itemgetter("scope"))
        written = named | {
            "memories": [entry.memory.memory_id for entry in current],
            "ids": [row["id"] for row in rows],
        }
        connection.execute(statements.DELETE_PARTS, written)
        _execute_many(connection, statements.PUT_PASSAGES, rows)
        connection.execute(statements.REUSE_VECTORS, written)
        connection.execute(statements.DELETE_OUTDATED_VECTORS, written)
        connection.execute(statements.UPDATE_VECTOR_METADATA, written)
        waiting = f"SELECT DISTINCT m.embedded_text {statements.WITHOUT_VECTOR} AND m.id = ANY(%(ids)s)"
        return partial(_first_column, connection.execute(waiting.encode(), written))


def _remove_memories(
    connection: PostgresConnection, tenant: str, removals: Sequence[Removal]
) -> Callable[[], None]:
    def parameters(*, erased: bool) -> list[dict[str, Any]]:
        return [
            {"tenant": tenant, "memory": each.memory_id, "version": each.version}
            for each in removals
            if each.erased is erased
        ]

    recorded, erased = parameters(erased=False), parameters(erased=True)
    memories = [each.memory_id for each in removals]
    connection.execute(statements.LOCK_MEMORIES, {"tenant": tenant, "memories": memories})
    _execute_many(connection, statements.RECORD_REMOVAL, recorded)
    _execute_many(connection, statements.DELETE_REMOVAL, erased)
    _execute_many(connection, statements.DELETE_MEMORY, recorded + erased)
    connection.execute(statements.DELETE_EXPIRED_REMOVALS, {"tenant": tenant})
    return _nothing


def _execute_many(
    connection: PostgresConnection, statement: Any, rows: Sequence[dict[str, Any]]
) -> Callable[[], None]:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
    return _nothing


def _first_column(answer: Cursor[tuple[Any, ...]]) -> list[Any]:
    return [row[0] for row in answer]


def _nothing() -> None:
    return None
