"""Reads a file of events and recognises by its content whether it is JSONL, LoCoMo or BEAM."""

import json
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from membus.domain.identity import Id
from scripts.demo import beam, locomo
from scripts.demo.failure import DemoError
from scripts.demo.source import Event, EventSource

USER_ID: TypeAdapter[str] = TypeAdapter(Id)
EXPECTED = (
    "Expected one of: JSONL with one event a line, such as\n"
    '  {"event_id": "e-1", "user_id": "ada", "type": "message.sent", "payload": {"text": "I live in Oslo."}}\n'
    "a LoCoMo file (a JSON list of conversations), or a BEAM file (a JSON object with a `chat`)."
)


def read_source(path: Path, *, conversation: int = 1, limit: int | None = None) -> EventSource:
    """Return what the file holds; `conversation` counts from 1 and chooses within a LoCoMo file."""
    source = _recognise_format(path, _read_text(path), conversation)
    return replace(source, events=source.events[:limit])


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DemoError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DemoError(f"{path} is not UTF-8 text (byte {error.start}).\n{EXPECTED}") from error
    if not text.strip():
        raise DemoError(f"{path} is empty: there is nothing to send.\n{EXPECTED}")
    return text


def _recognise_format(path: Path, text: str, conversation: int) -> EventSource:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = None  # several lines are no single document
    if locomo.is_locomo(whole):
        return locomo.read_locomo(whole, conversation)
    if beam.is_beam(whole):
        return beam.read_beam(whole)
    return EventSource(title=path.name, events=_read_jsonl(path, text))


def _read_jsonl(path: Path, text: str) -> list[Event]:
    seen: Counter[str] = Counter()
    lines = enumerate(text.splitlines(), start=1)
    return [_parse_event(f"{path}, line {number}", line, seen) for number, line in lines if line.strip()]


def _parse_event(where: str, line: str, seen: Counter[str]) -> Event:
    """Return the event on a line; one without an id gets one from its content, so a second run repeats it."""
    try:
        event: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise DemoError(f"{where}: not JSON ({error.msg}, column {error.colno}).\n{EXPECTED}") from error
    if fault := _find_fault(event):
        raise DemoError(f"{where}: {fault}.\n{EXPECTED}")
    if "event_id" in event:
        return {**event}
    content = sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:20]
    seen[content] += 1
    return {"event_id": f"line-{content}-{seen[content]}", **event}


def _find_fault(event: Any) -> str | None:
    if not isinstance(event, dict):
        return "not a JSON object"
    for field in ("user_id", "type"):
        if not isinstance(event.get(field), str) or not event[field]:
            return f"the event has no `{field}`"
    try:
        USER_ID.validate_python(event["user_id"])
    except ValidationError as error:
        return f"`user_id`: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
    return None if isinstance(event.get("payload", {}), dict) else "`payload` is not an object"
