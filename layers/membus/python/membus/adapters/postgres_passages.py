"""How passages lie in `membus.memories`.

One row each, `group_id` the memory, its vectors in `membus.vectors`.
"""

import hashlib
from typing import Any

from psycopg.types.json import Jsonb

from membus.domain.retrieval import IndexEntry, passage_id
from membus.ports.embedder import Vector


def passage_rows(entry: IndexEntry) -> list[dict[str, Any]]:
    return [row for told in entry.told for row in _entry_rows(told)]


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
        "message_length": entry.length,
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
