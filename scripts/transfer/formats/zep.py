"""Zep's threads, graph episodes and facts, as its API answers.

Messages are `{"messages": [{"uuid", "role", "name", "content", "created_at", "metadata"}], "user_id"}`:
`role` says who spoke (help.getzep.com/sdk-reference/thread/get-messages-of-a-thread); before version 3 it
was `role_type`, and `role` a name. Since version 4 `created_at` is when Zep received it, `reference_time`
when it was said, and threads and users have a `uuid` (help.getzep.com/sdk-reference/thread/message/get).
Facts are edges, `{"uuid", "fact", "name", "created_at", "valid_at", "invalid_at", "expired_at", …}`
(help.getzep.com/sdk-reference/graph/edge/get-edge): statements of a model.
"""

from collections.abc import Iterator

from scripts.transfer.rows import ImportRow, RejectedRow, SkippedRow, SourceRecord, make_event

LISTS = ("messages", "edges", "episodes", "facts")
ROLES = frozenset({"user", "assistant"})
OTHER_ROLES = frozenset({"system", "function", "tool", "norole"})
USERS, THREADS = ("user_id", "user_uuid"), ("thread_id", "session_id", "thread_uuid")
MESSAGE = ("uuid", "content", "role_type", "created_at", "reference_time", *USERS, *THREADS)
FACT = ("uuid", "fact", "valid_at", "created_at", "user_id")


def convert(record: SourceRecord) -> Iterator[ImportRow]:
    fields = record.fields
    named, user = fields.get("uuid"), record.get_first(*USERS)
    if "fact" in fields:
        at = fields.get("valid_at") or fields.get("created_at")
        yield make_event(record, "zep", named, fields["fact"], user=user, at=at, used=FACT)
        return
    if "content" not in fields:
        yield RejectedRow(record.where, "it has neither `content` nor `fact`")
        return
    role = str(fields.get("role_type") or fields.get("role") or "").lower()
    if role in OTHER_ROLES:
        yield SkippedRow(record.where, f"a {role} message")
        return
    yield make_event(
        record,
        "zep",
        named,
        fields["content"],
        role=role if role in ROLES else None,
        user=user,
        session=record.get_first(*THREADS),
        at=fields.get("reference_time") or fields.get("created_at"),
        used=MESSAGE,
    )
