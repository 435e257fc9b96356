"""Mem0's memories, as `get_all` answers.

Statements that a model wrote, or messages that were kept as they were said.

A page is `{"count", "next", "results": [{"id", "memory", "user_id", "agent_id", "run_id", "metadata",
"categories", "created_at", "updated_at", …}]}` (docs.mem0.ai/cookbooks/essentials/exporting-memories); the
vector stores of the open-source edition call the text `data`. Only what was added with `infer=False` has a
`role`: it is a message word for word, of `actor_id` where it had a name (mem0ai/mem0, mem0/memory/main.py).
An export by a schema of one's own (docs.mem0.ai/platform/features/memory-export) has whatever shape it was
given, and cannot be read.
"""

from collections.abc import Iterator
from pathlib import Path

from scripts.transfer.rows import (
    ImportRow,
    RejectedRow,
    SourceRecord,
    message_event,
    read_records,
    statement_event,
)

ROLES = frozenset({"user", "assistant"})
USED = ("id", "memory", "data", "user_id", "agent_id", "run_id", "created_at")


def read(path: Path) -> Iterator[ImportRow]:
    for record in read_records(path, "results", "memories"):
        yield record if isinstance(record, RejectedRow) else _memory(record)


def _memory(record: SourceRecord) -> ImportRow:
    fields = record.fields
    if "memory" not in fields and "data" not in fields:
        return RejectedRow(
            record.where, "it has no `memory`: an export by a schema of one's own cannot be read"
        )
    about = {
        "text": fields.get("memory", fields.get("data")),
        "user": fields.get("user_id"),
        "agent": fields.get("agent_id"),
        "session": fields.get("run_id"),
        "at": fields.get("created_at"),
    }
    role = fields.get("role")
    if role in ROLES:
        return message_event(record, "mem0", fields.get("id"), role=str(role), **about, used=(*USED, "role"))
    return statement_event(record, "mem0", fields.get("id"), **about, used=USED)
