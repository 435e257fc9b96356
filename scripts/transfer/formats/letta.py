"""Letta's agent files (`.af`): messages, and the block `human` with the agent's notes about its user.

A file is `{"agents": [{"id", "messages": [{"id", "role", "content": [{"type": "text", "text"}],
"tool_calls", "created_at"}]}], "blocks": [{"id", "label", "value"}]}` (letta-ai/letta,
letta/schemas/agent_file.py), formerly one agent with `core_memory` and `messages` at the top
(letta/serialize_schemas/pydantic_agent_schema.py). An agent may wrap a message of the user as `{"type":
"user_message", "message"}`, and answer by the tool `send_message`. Archival passages are not in the file; a
list of them, `{"id", "text", "created_at"}`, is read as statements. An agent file names no user.
"""

import json
from collections.abc import Iterator
from typing import Any

from scripts.transfer.rows import (
    Fields,
    ImportRow,
    RejectedRow,
    SkippedRow,
    SourceRecord,
    digest,
    make_event,
)

LISTS = ("agents", "blocks", "core_memory", "messages", "passages")
USED = ("id", "role", "content", "text", "tool_calls", "created_at", "agent_id")
BLOCK = ("id", "value", "created_at")
ANSWER_TOOL = "send_message"


def convert(record: SourceRecord) -> Iterator[ImportRow]:
    if not isinstance(record.fields.get("messages"), list):
        yield _convert_row(record)
        return
    for number, each in enumerate(record.fields["messages"], 1):
        where = f"item {number} of messages of {record.where}"
        if isinstance(each, dict):
            message = {"agent_id": record.fields.get("id")} | each
            yield _convert_row(SourceRecord(where, message, record.around))
        else:
            yield RejectedRow(where, "it is not an object")


def _convert_row(record: SourceRecord) -> ImportRow:
    fields = record.fields
    if "label" in fields:
        return _convert_block(record)
    if "role" in fields:
        return _convert_message(record)
    text, at = fields.get("text"), fields.get("created_at")
    return make_event(record, "letta", fields.get("id"), text, at=at, used=USED)


def _convert_block(record: SourceRecord) -> ImportRow:
    """Return the statement of the block `human`, at most as old as the file."""
    fields = record.fields
    if fields["label"] != "human":
        return SkippedRow(record.where, f"the agent's block {fields['label']}")
    dates = (each.get(name) for each in (fields, record.around) for name in ("updated_at", "created_at"))
    at = next((each for each in dates if each), None)
    named = fields.get("id") or digest([fields["label"], fields.get("value")])
    return make_event(record, "letta", named, fields.get("value"), at=at, used=BLOCK)


def _convert_message(record: SourceRecord) -> ImportRow:
    fields = record.fields
    role, at = str(fields["role"]), fields.get("created_at")
    text = _answer(fields) if role == "assistant" else _message(fields)
    if role not in {"user", "assistant"} or text is None:
        return SkippedRow(record.where, f"a message of {role} that nobody said")
    # Before messages had ids, their content and time are their id.
    named = fields.get("id") or digest([role, text, at])
    return make_event(record, "letta", named, text, role=role, at=at, agent=fields.get("agent_id"), used=USED)


def _message(fields: Fields) -> str | None:
    """Return the text of a message, None for a heartbeat or another notice in the form of one."""
    text = _text(fields)
    wrapped = _parse_object(text)
    if wrapped is None or "type" not in wrapped:
        return text
    return str(wrapped["message"]) if wrapped["type"] == "user_message" and "message" in wrapped else None


def _answer(fields: Fields) -> str | None:
    """Return what the agent answered; the text beside a tool call is its own thought."""
    calls = fields.get("tool_calls") or []
    if not calls:
        return _text(fields)
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name") == ANSWER_TOOL:
            answer = _parse_object(str(function.get("arguments"))) or {}
            return str(answer["message"]) if "message" in answer else None
    return None


def _text(fields: Fields) -> str:
    content = fields.get("content", fields.get("text"))
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "\n".join(str(part["text"]) for part in parts if part.get("text"))
    return str(content or "")


def _parse_object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
