"""Letta's agent files (`.af`).

Messages say who spoke, the block `human` holds what the agent wrote of its user.

Now, `{"agents": [{"id", "messages": [{"id", "role", "content": [{"type": "text", "text"}], "tool_calls",
"created_at"}]}], "blocks": [{"id", "label", "value"}]}` (letta-ai/letta, letta/schemas/agent_file.py);
before, one agent with `core_memory` and `messages` at the top
(letta/serialize_schemas/pydantic_agent_schema.py). An agent may wrap what the user said as `{"type":
"user_message", "message"}`, and answer by the tool `send_message`. Archival passages are not in the file; a
list of them, `{"id", "text", "created_at"}`, is read as statements. An agent file names no user.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.transfer.rows import (
    ImportRow,
    RejectedRow,
    SkippedRow,
    SourceRecord,
    digest,
    message_event,
    read_records,
    statement_event,
)

USED = ("id", "role", "content", "text", "tool_calls", "created_at", "agent_id")
BLOCK = ("id", "value", "created_at")
LISTS = ("agents", "blocks", "core_memory", "messages", "passages")
ANSWER = "send_message"


def read(path: Path) -> Iterator[ImportRow]:
    for record in read_records(path, *LISTS):
        if isinstance(record, RejectedRow):
            yield record
        elif isinstance(record.fields.get("messages"), list):
            yield from _agent(record)
        else:
            yield _row(record)


def _agent(agent: SourceRecord) -> Iterator[ImportRow]:
    for number, each in enumerate(agent.fields["messages"], 1):
        where = f"item {number} of messages of {agent.where}"
        if isinstance(each, dict):
            yield _row(SourceRecord(where, {"agent_id": agent.fields.get("id")} | each, agent.around))
        else:
            yield RejectedRow(where, "it is no object")


def _row(record: SourceRecord) -> ImportRow:
    fields = record.fields
    if "label" in fields:
        return _block(record)
    if "role" in fields:
        return _message(record)
    return statement_event(
        record, "letta", fields.get("id"), text=fields.get("text"), at=fields.get("created_at"), used=USED
    )


def _block(record: SourceRecord) -> ImportRow:
    fields = record.fields
    if fields["label"] != "human":
        return SkippedRow(record.where, f"the agent's block {fields['label']}")
    dates = (each.get(name) for each in (fields, record.around) for name in ("updated_at", "created_at"))
    at = next((each for each in dates if each), None)
    named = fields.get("id") or digest([fields["label"], fields.get("value")])
    return statement_event(record, "letta", named, text=fields.get("value"), at=at, used=BLOCK)


def _message(record: SourceRecord) -> ImportRow:
    fields = record.fields
    role = str(fields["role"])
    text = _answer(fields) if role == "assistant" else _words(fields)
    if role not in {"user", "assistant"} or text is None:
        return SkippedRow(record.where, f"a message of {role} that nobody said")
    # Before ids, a message was known by its place and moment; what it says stands for both.
    named = fields.get("id") or digest([role, text, fields.get("created_at")])
    return message_event(
        record,
        "letta",
        named,
        role=role,
        text=text,
        at=fields.get("created_at"),
        agent=fields.get("agent_id"),
        used=USED,
    )


def _words(fields: Mapping[str, Any]) -> str | None:
    """Return what a message says; None for a heartbeat or another notice in the form of one."""
    text = _text(fields)
    wrapped = _object(text)
    if wrapped is None or "type" not in wrapped:
        return text
    return str(wrapped["message"]) if wrapped["type"] == "user_message" and "message" in wrapped else None


def _answer(fields: Mapping[str, Any]) -> str | None:
    """Return what the agent said aloud: beside a call of a tool its words are its own thoughts."""
    calls = fields.get("tool_calls") or []
    if not calls:
        return _text(fields)
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name") == ANSWER:
            said = _object(str(function.get("arguments"))) or {}
            return str(said["message"]) if "message" in said else None
    return None


def _text(fields: Mapping[str, Any]) -> str:
    content = fields.get("content", fields.get("text"))
    if isinstance(content, list):
        parts = (
            part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"
        )
        return "\n".join(str(part) for part in parts if part)
    return str(content or "")


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
