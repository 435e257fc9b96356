"""Mem0's memories, as `get_all` answers: statements of a model, or messages kept word for word.

A page is `{"count", "next", "results": [{"id", "memory", "user_id", "agent_id", "run_id", "metadata",
"categories", "created_at", "updated_at", …}]}` (docs.mem0.ai/cookbooks/essentials/exporting-memories); the
vector stores of the open-source edition call the text `data`. Only what was added with `infer=False` has a
`role`: it is a message word for word, of `actor_id` if it had a name (mem0ai/mem0, mem0/memory/main.py). An
export by a schema of one's own (docs.mem0.ai/platform/features/memory-export) has any shape, and cannot be
read.
"""

from collections.abc import Iterator

from scripts.transfer.rows import ImportRow, RejectedRow, SourceRecord, make_event

LISTS = ("results", "memories")
ROLES = frozenset({"user", "assistant"})
USED = ("id", "memory", "data", "user_id", "agent_id", "run_id", "created_at")


def convert(record: SourceRecord) -> Iterator[ImportRow]:
    fields = record.fields
    if "memory" not in fields and "data" not in fields:
        yield RejectedRow(
            record.where, "it has no `memory`: an export by a schema of one's own cannot be read"
        )
        return
    role = fields.get("role") if fields.get("role") in ROLES else None
    yield make_event(
        record,
        "mem0",
        fields.get("id"),
        fields.get("memory", fields.get("data")),
        used=(*USED, "role") if role else USED,
        role=role,
        user=fields.get("user_id"),
        agent=fields.get("agent_id"),
        session=fields.get("run_id"),
        at=fields.get("created_at"),
    )
