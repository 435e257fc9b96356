"""Bedrock AgentCore Memory, as ListEvents and ListMemoryRecords answer.

An event is `{"memoryId", "actorId", "sessionId", "eventId", "eventTimestamp", "payload": [{"conversational":
{"content": {"text"}, "role": "USER"|"ASSISTANT"|"TOOL"|"OTHER"}} | {"blob"}], "branch", "metadata"}`
(docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_Event.html): its role says who spoke. A record
is `{"memoryRecordId", "content": {"text"}, "memoryStrategyId", "namespaces", "createdAt"}`
(…/API_MemoryRecordSummary.html): a strategy's statement, of the actor that its namespace names as
`actors/<id>`.
"""

import re
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

ROLES = {"USER": "user", "ASSISTANT": "assistant"}
EVENT = ("eventId", "eventTimestamp", "actorId", "sessionId", "payload")
HELD = ("memoryRecordId", "content", "createdAt")
_ACTOR = re.compile(r"(?:^|/)actors?/([^/]+)")


def read(path: Path) -> Iterator[ImportRow]:
    for record in read_records(path, "events", "memoryRecordSummaries", "memoryRecords"):
        if isinstance(record, RejectedRow):
            yield record
        elif isinstance(record.fields.get("payload"), list):
            yield from _event(record)
        else:
            yield _record(record)


def _event(record: SourceRecord) -> Iterator[ImportRow]:
    for number, part in enumerate(record.fields["payload"]):
        yield _part(record, number, part)


def _part(record: SourceRecord, number: int, part: Any) -> ImportRow:
    fields = record.fields
    said = part.get("conversational") if isinstance(part, dict) else None
    if not isinstance(said, dict):
        return SkippedRow(record.where, "a blob, whose shape is the application's own")
    role, content = str(said.get("role", "OTHER")).upper(), said.get("content")
    if role not in ROLES:
        return SkippedRow(record.where, f"a message of {role.lower()}")
    return message_event(
        record,
        "agentcore",
        f"{fields.get('eventId')}/{number}",
        role=ROLES[role],
        text=_text(content),
        user=fields.get("actorId"),
        session=fields.get("sessionId"),
        at=fields.get("eventTimestamp"),
        used=EVENT,
    )


def _record(record: SourceRecord) -> ImportRow:
    fields = record.fields
    if "memoryRecordId" not in fields:
        return RejectedRow(record.where, "it is neither an event with a `payload` nor a memory record")
    actors = [found[1] for each in fields.get("namespaces") or () if (found := _ACTOR.search(str(each)))]
    return statement_event(
        record,
        "agentcore",
        fields["memoryRecordId"],
        text=_text(fields.get("content")),
        user=actors[0] if actors else None,
        at=fields.get("createdAt"),
        used=HELD,
    )


def _text(content: Any) -> Any:
    return content.get("text") if isinstance(content, dict) else None
