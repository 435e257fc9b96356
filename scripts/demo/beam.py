"""Reads a BEAM file: one user's long chat with an assistant, in batches."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.demo.source import Event, Source

GENERATOR_TAIL = re.compile(r"\s*->->.*$", re.DOTALL)
ANCHOR = "%B-%d-%Y"


def recognises(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("chat"), list) and "id" in document


def read(document: dict[str, Any]) -> Source:
    """Return every message in order; a minute apart from the last date that the file named."""
    chat = f"beam-{str(document['id']).lower()}"
    title = f"BEAM {document['id']}: one user and an assistant, {len(document['chat'])} batches"
    return Source(title=title, events=list(_events(chat, document["chat"])))


def _events(chat: str, batches: list[dict[str, Any]]) -> Iterator[Event]:
    moment: datetime | None = None
    for batch in batches:
        for message in (message for turn in batch["turns"] for message in turn):
            moment = _moment(message.get("time_anchor"), moment)
            yield {
                "event_id": f"{chat}-{message['id']}",
                "user_id": chat,
                "session_id": str(batch["batch_number"]),
                "type": "message.sent",
                "payload": {"text": GENERATOR_TAIL.sub("", message["content"]), "role": message["role"]},
            } | ({"occurred_at": moment.isoformat().replace("+00:00", "Z")} if moment else {})


def _moment(anchor: str | None, before: datetime | None) -> datetime | None:
    if anchor:
        return datetime.strptime(anchor, ANCHOR).replace(tzinfo=UTC)
    return before and before + timedelta(minutes=1)
