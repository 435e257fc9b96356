"""Reads a BEAM file: one user's long chat with an assistant, in batches."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.demo.source import Event, EventSource

GENERATOR_TAIL = re.compile(r"\s*->->.*$", re.DOTALL)
BEAM_ANCHOR = "%B-%d-%Y"


def is_beam(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("chat"), list) and "id" in document


def read_beam(document: dict[str, Any]) -> EventSource:
    """Return every message in order; a minute apart from the last date that the file named."""
    chat = f"beam-{str(document['id']).lower()}"
    title = f"BEAM {document['id']}: one user and an assistant, {len(document['chat'])} batches"
    return EventSource(title=title, events=list(_beam_events(chat, document["chat"])))


def _beam_events(chat: str, batches: list[dict[str, Any]]) -> Iterator[Event]:
    moment: datetime | None = None
    for batch in batches:
        for message in (message for turn in batch["turns"] for message in turn):
            moment = _beam_moment(message.get("time_anchor"), moment)
            yield {
                "event_id": f"{chat}-{message['id']}",
                "user_id": chat,
                "session_id": str(batch["batch_number"]),
                "type": "message.sent",
                "payload": {"text": GENERATOR_TAIL.sub("", message["content"]), "role": message["role"]},
            } | ({"occurred_at": moment.isoformat().replace("+00:00", "Z")} if moment else {})


def _beam_moment(anchor: str | None, before: datetime | None) -> datetime | None:
    if anchor:
        return datetime.strptime(anchor, BEAM_ANCHOR).replace(tzinfo=UTC)
    return before and before + timedelta(minutes=1)
