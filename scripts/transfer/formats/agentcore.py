"""Bedrock AgentCore Memory, as ListEvents and ListMemoryRecords answer.

An event is `{"memoryId", "actorId", "sessionId", "eventId", "eventTimestamp", "payload":
[{"conversational": {"content": {"text"}, "role": "USER"|"ASSISTANT"|"TOOL"|"OTHER"}} | {"blob"}], "branch",
"metadata"}` (docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_Event.html): its role says who
spoke. A record is `{"memoryRecordId", "content": {"text"}, "memoryStrategyId", "namespaces", "createdAt"}`
(…/API_MemoryRecordSummary.html): a statement of a strategy, about the actor that its namespace names as
`actors/<id>`.
"""

import re
from collections.abc import Iterator
from typing import Any

from scripts.transfer.rows import ImportRow, RejectedRow, SkippedRow, SourceRecord, make_event

LISTS = ("events", "memoryRecordSummaries", "memoryRecords")
ROLES = {"USER": "user", "ASSISTANT": "assistant"}
EVENT = ("eventId", "eventTimestamp", "actorId", "sessionId", "payload")
MEMORY = ("memoryRecordId", "content", "createdAt")
_ACTOR = re.compile(r"(?:^|/)actors?/([^/]+)")


def convert(record: SourceRecord) -> Iterator[ImportRow]:
    fields = record.fields
    if isinstance(fields.get("payload"), list):
        for number, part in enumerate(fields["payload"]):
            yield _convert_part(record, number, part)
        return
    if "memoryRecordId" not in fields:
        yield RejectedRow(record.where, "it is neither an event with a `payload` nor a memory record")
        return
    actors = [found[1] for each in fields.get("namespaces") or () if (found := _ACTOR.search(str(each)))]
    yield make_event(
        record,
        "agentcore",
        fields["memoryRecordId"],
        _text(fields.get("content")),
        user=actors[0] if actors else None,
        at=fields.get("createdAt"),
        used=MEMORY,
    )


def _convert_part(record: SourceRecord, number: int, part: Any) -> ImportRow:
    """Return the row of one part of an event's payload."""
    fields, message = record.fields, part.get("conversational") if isinstance(part, dict) else None
    if not isinstance(message, dict):
        return SkippedRow(record.where, "a blob, whose shape is the application's own")
    role = str(message.get("role", "OTHER")).upper()
    if role not in ROLES:
        return SkippedRow(record.where, f"a message of {role.lower()}")
    return make_event(
        record,
        "agentcore",
        f"{fields.get('eventId')}/{number}",
        _text(message.get("content")),
        role=ROLES[role],
        user=fields.get("actorId"),
        session=fields.get("sessionId"),
        at=fields.get("eventTimestamp"),
        used=EVENT,
    )


def _text(content: Any) -> Any:
    return content.get("text") if isinstance(content, dict) else None
