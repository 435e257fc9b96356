"""What the demo feeds: events in the API's format, and the reading of them as one long transcript.

Reads a file of events and recognises by its content whether it is JSONL, LoCoMo or BEAM.

Reads one conversation of a LoCoMo file: two people who talk over many dated sessions.

Reads a BEAM file: one user's long chat with an assistant, in batches.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from membus.core.identity import Id
from scripts.demo import DemoError

Event = dict[str, Any]


@dataclass(frozen=True)
class EventSource:
    """Events in the order in which they are sent; `shared` when all users spoke in one conversation."""

    title: str
    events: Sequence[Event]
    shared: bool = False

    def list_users(self) -> list[str]:
        """Return the user ids, the one with the most events first."""
        return [user for user, _ in Counter(event["user_id"] for event in self.events).most_common()]

    def list_events(self, user: str) -> list[Event]:
        """Return each event that belongs to this user's history once, in the order in which they happened."""
        once: dict[str, Event] = {}
        for event in self.events:
            if self.shared or event["user_id"] == user:
                once.setdefault(event["event_id"], event)
        return sorted(once.values(), key=lambda event: str(event.get("occurred_at", "")))


def transcript(events: Sequence[Event]) -> str:
    """Return the messages as an application without a memory would send them: a line for each."""
    return "\n".join(
        f"{_speaker(event)}: {event['payload']['text']}"
        for event in events
        if event["type"] == "message.sent" and "text" in event.get("payload", {})
    )


def _speaker(event: Event) -> str:
    payload = event["payload"]
    return str(payload.get("speaker") or payload.get("role") or event["user_id"])


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
    if is_locomo(whole):
        return read_locomo(whole, conversation)
    if is_beam(whole):
        return read_beam(whole)
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


LOCOMO_DATE = "%I:%M %p on %d %B, %Y"


def is_locomo(document: Any) -> bool:
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(sample, dict) and "conversation" in sample for sample in document)
    )


def read_locomo(document: list[dict[str, Any]], conversation: int) -> EventSource:
    """Return every turn of the chosen conversation, in order; each of the two speakers is a user."""
    if not 1 <= conversation <= len(document):
        names = ", ".join(f"{number} = {sample['sample_id']}" for number, sample in enumerate(document, 1))
        raise DemoError(f"There is no conversation {conversation} in this LoCoMo file: {names}.")
    sample = document[conversation - 1]
    talk, users = sample["conversation"], _locomo_users(document, sample)
    numbers = sorted(int(key.split("_")[1]) for key in talk if re.fullmatch(r"session_\d+", key))
    events = [event for number in numbers for event in _locomo_session(sample, number, users)]
    title = (
        f"LoCoMo {sample['sample_id']}: {talk['speaker_a']} and {talk['speaker_b']}, {len(numbers)} sessions"
    )
    return EventSource(title=title, events=events, shared=True)


def _locomo_users(document: list[dict[str, Any]], sample: dict[str, Any]) -> dict[str, str]:
    """Return user ids by speaker; a first name that several conversations share names several people."""
    people = Counter(_locomo_speakers(each)[side] for each in document for side in (0, 1))
    return {
        name: _locomo_slug(name) if people[name] == 1 else f"{_locomo_slug(name)}-{sample['sample_id']}"
        for name in _locomo_speakers(sample)
    }


def _locomo_speakers(sample: dict[str, Any]) -> tuple[str, str]:
    return sample["conversation"]["speaker_a"], sample["conversation"]["speaker_b"]


def _locomo_slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _locomo_session(sample: dict[str, Any], number: int, users: dict[str, str]) -> list[Event]:
    talk = sample["conversation"]
    start = datetime.strptime(talk[f"session_{number}_date_time"], LOCOMO_DATE).replace(tzinfo=UTC)
    return [
        {
            "event_id": f"{sample['sample_id']}-{turn['dia_id'].replace(':', '-')}",
            "user_id": users[turn["speaker"]],
            "session_id": str(number),
            "type": "message.sent",
            "occurred_at": (start + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z"),
            "payload": {"text": _locomo_text(turn), "speaker": turn["speaker"]},
        }
        for minute, turn in enumerate(talk[f"session_{number}"])
    ]


def _locomo_text(turn: dict[str, Any]) -> str:
    caption = turn.get("blip_caption")
    return f"{turn['text']} [shares a photo: {caption}]" if caption else str(turn["text"])


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
