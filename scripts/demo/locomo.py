"""Reads one conversation of a LoCoMo file: two people who talk over many dated sessions."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.demo.failure import DemoError
from scripts.demo.source import Event, EventSource

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
