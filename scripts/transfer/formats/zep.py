"""Zep's threads, graph episodes and facts, as its API answers.

Messages, `{"messages": [{"uuid", "role", "name", "content", "created_at", "metadata"}], "user_id"}`: `role`
says who spoke (help.getzep.com/sdk-reference/thread/get-messages-of-a-thread); before version 3 it was
`role_type`, and `role` a name. Since version 4 `created_at` is when Zep received it, `reference_time` when it
was said, and threads and users have a `uuid` (help.getzep.com/sdk-reference/thread/message/get). Facts lie on
edges, `{"uuid", "fact", "name", "created_at", "valid_at", "invalid_at", "expired_at", …}`
(help.getzep.com/sdk-reference/graph/edge/get-edge): they are a model's statements.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.transfer.rows import (
    ImportRow,
    RejectedRow,
    SkippedRow,
    SourceRecord,
    message_event,
    read_records,
    statement_event,
)

ROLES = frozenset({"user", "assistant"})
UNSAID = frozenset({"system", "function", "tool", "norole"})
SAID = (
    "uuid",
    "content",
    "role_type",
    "created_at",
    "reference_time",
    "user_id",
    "user_uuid",
    "thread_id",
    "session_id",
    "thread_uuid",
)
HELD = ("uuid", "fact", "valid_at", "created_at", "user_id")


def read(path: Path) -> Iterator[ImportRow]:
    for record in read_records(path, "messages", "edges", "episodes", "facts", unless="uuid"):
        yield record if isinstance(record, RejectedRow) else _row(record)


def _row(record: SourceRecord) -> ImportRow:
    fields = record.fields
    user = _named(record, "user_id", "user_uuid")
    if "fact" in fields:
        at = fields.get("valid_at") or fields.get("created_at")
        return statement_event(
            record, "zep", fields.get("uuid"), text=fields["fact"], user=user, at=at, used=HELD
        )
    if "content" not in fields:
        return RejectedRow(record.where, "it has neither `content` nor `fact`")
    at = fields.get("reference_time") or fields.get("created_at")
    about = {"user": user, "at": at, "session": _named(record, "thread_id", "session_id", "thread_uuid")}
    role = str(fields.get("role_type") or fields.get("role") or "").lower()
    if role in UNSAID:
        return SkippedRow(record.where, f"a {role} message")
    if role in ROLES:
        return message_event(
            record, "zep", fields.get("uuid"), role=role, text=fields["content"], **about, used=SAID
        )
    return statement_event(record, "zep", fields.get("uuid"), text=fields["content"], **about, used=SAID)


def _named(record: SourceRecord, *names: str) -> Any:
    """Return the first of these ids that the record has, or what holds its list."""
    found = (record.fields.get(name, record.around.get(name)) for name in names)
    return next((each for each in found if each), None)
