"""Files that the demo can send: JSONL events, a LoCoMo file, a BEAM file; recognised by their content."""

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
USER_ID: TypeAdapter[str] = TypeAdapter(Id)
EXPECTED = (
    "Expected one of: JSONL with one event a line, such as\n"
    '  {"event_id": "e-1", "user_id": "ada", "type": "message.sent", "payload": {"text": "Hello."}}\n'
    "a LoCoMo file (a JSON list of conversations), or a BEAM file (a JSON object with a `chat`)."
)
LOCOMO_DATE = "%I:%M %p on %d %B, %Y"
BEAM_DATE = "%B-%d-%Y"
BEAM_GENERATOR_TAIL = re.compile(r"\s*->->.*$", re.DOTALL)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class EventSource:
    """Events in the order in which they are sent; `shared` if all users spoke in one conversation."""

    title: str
    events: Sequence[Event]
    shared: bool = False

    def list_users(self) -> list[str]:
        """Return the user ids, the one with the most events first."""
        return [user for user, _ in Counter(event["user_id"] for event in self.events).most_common()]

    def list_events(self, user: str) -> list[Event]:
        """Return each event of the user's history once, by the time at which it happened."""
        once: dict[str, Event] = {}
        for event in self.events:
            if self.shared or event["user_id"] == user:
                once.setdefault(event["event_id"], event)
        return sorted(once.values(), key=lambda event: str(event.get("occurred_at", "")))


def transcript(events: Sequence[Event]) -> str:
    """Return the messages as an application without a memory would send them: a line for each."""
    said = [
        event["payload"] | {"user": event["user_id"]}
        for event in events
        if event["type"] == "message.sent" and "text" in event.get("payload", {})
    ]
    return "\n".join(
        f"{each.get('speaker') or each.get('role') or each['user']}: {each['text']}" for each in said
    )


def read_source(path: Path, *, conversation: int = 1, limit: int | None = None) -> EventSource:
    """Return the events of a file; `conversation` counts from 1 and chooses within a LoCoMo file."""
    text = _read_text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        document = None  # several lines are not one document
    if is_locomo(document):
        source = read_locomo(document, conversation)
    elif isinstance(document, dict) and isinstance(document.get("chat"), list) and "id" in document:
        source = _read_beam(document)
    else:
        source = EventSource(path.name, _read_jsonl(path, text))
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


def _read_jsonl(path: Path, text: str) -> list[Event]:
    """Return the events; one without an id gets one from its content, so that a second run repeats it."""
    seen: Counter[str] = Counter()
    events = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            event = _parse_event(f"{path}, line {number}", line)
            content = sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:20]
            seen[content] += 1
            events.append({"event_id": f"line-{content}-{seen[content]}"} | event)
    return events


def _parse_event(where: str, line: str) -> Event:
    try:
        event: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise DemoError(f"{where}: not JSON ({error.msg}, column {error.colno}).\n{EXPECTED}") from error
    if problem := _find_problem(event):
        raise DemoError(f"{where}: {problem}.\n{EXPECTED}")
    return dict(event)


def _find_problem(event: Any) -> str | None:
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


def is_locomo(document: Any) -> bool:
    samples = document if isinstance(document, list) else []
    return bool(samples) and all(isinstance(each, dict) and "conversation" in each for each in samples)


def read_locomo(document: list[dict[str, Any]], conversation: int) -> EventSource:
    """Return every turn of a conversation; each of its two speakers is a user."""
    if not 1 <= conversation <= len(document):
        names = ", ".join(f"{number} = {sample['sample_id']}" for number, sample in enumerate(document, 1))
        raise DemoError(f"There is no conversation {conversation} in this LoCoMo file: {names}.")
    sample = document[conversation - 1]
    talk, users = sample["conversation"], _locomo_users(document, sample)
    numbers = sorted(int(key.split("_")[1]) for key in talk if re.fullmatch(r"session_\d+", key))
    events = [event for number in numbers for event in _locomo_session(sample, number, users)]
    names = f"{talk['speaker_a']} and {talk['speaker_b']}"
    return EventSource(f"LoCoMo {sample['sample_id']}: {names}, {len(numbers)} sessions", events, shared=True)


def _locomo_users(document: list[dict[str, Any]], sample: dict[str, Any]) -> dict[str, str]:
    """Return user ids by speaker; a first name in several conversations names several people."""
    sides = ("speaker_a", "speaker_b")
    named = Counter(each["conversation"][side] for each in document for side in sides)
    speakers = [sample["conversation"][side] for side in sides]
    slugs = {name: re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in speakers}
    return {
        name: slug if named[name] == 1 else f"{slug}-{sample['sample_id']}" for name, slug in slugs.items()
    }


def _locomo_session(sample: dict[str, Any], number: int, users: dict[str, str]) -> Iterator[Event]:
    talk = sample["conversation"]
    moment = datetime.strptime(talk[f"session_{number}_date_time"], LOCOMO_DATE).replace(tzinfo=UTC)
    for turn in talk[f"session_{number}"]:
        photo = f" [shares a photo: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
        payload = {"text": f"{turn['text']}{photo}", "speaker": turn["speaker"]}
        event_id = f"{sample['sample_id']}-{turn['dia_id'].replace(':', '-')}"
        yield _message(event_id, users[turn["speaker"]], number, payload, moment)
        moment += MINUTE


def _read_beam(document: dict[str, Any]) -> EventSource:
    """Return every message, a minute apart from the last date that the file named."""
    user, batches = f"beam-{str(document['id']).lower()}", document["chat"]
    events: list[Event] = []
    moment: datetime | None = None
    messages = (
        (batch["batch_number"], each) for batch in batches for turn in batch["turns"] for each in turn
    )
    for number, message in messages:
        if anchor := message.get("time_anchor"):
            moment = datetime.strptime(anchor, BEAM_DATE).replace(tzinfo=UTC)
        payload = {"text": BEAM_GENERATOR_TAIL.sub("", message["content"]), "role": message["role"]}
        events.append(_message(f"{user}-{message['id']}", user, number, payload, moment))
        moment = moment and moment + MINUTE
    return EventSource(f"BEAM {document['id']}: one user and an assistant, {len(batches)} batches", events)


def _message(
    event_id: str, user: str, session: object, payload: dict[str, Any], moment: datetime | None
) -> Event:
    event = {
        "event_id": event_id,
        "user_id": user,
        "session_id": str(session),
        "type": "message.sent",
        "payload": payload,
    }
    return event | ({"occurred_at": moment.isoformat().replace("+00:00", "Z")} if moment else {})
