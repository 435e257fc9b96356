"""Reads LoCoMo and BEAM from a folder outside the repository: their licences do not let them live in it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from membus.core.event import Event
from membus.search.memory_projection import project_event
from membus.search.passages import is_role
from membus.search.retrieval import IndexEntry, index_entry

_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_TAIL = re.compile(r"\s*->->.*$", re.DOTALL)
_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_UNDATED = datetime(2024, 1, 1, tzinfo=UTC)
TENANT, ASKED = "bench", datetime(2026, 1, 1, tzinfo=UTC)
"""The moment of the questions, long after the conversations: "last month" does not help."""


@dataclass(frozen=True)
class Message:
    id: str
    speaker: str
    text: str
    session: str
    occurred_at: datetime


@dataclass(frozen=True)
class Question:
    """`gold` are the ids of the messages that are evidence."""

    text: str
    category: str
    gold: frozenset[str]


@dataclass(frozen=True)
class Case:
    """One conversation with the questions about it that have evidence."""

    set: str
    id: str
    messages: tuple[Message, ...]
    questions: tuple[Question, ...]

    @property
    def user(self) -> str:
        return self.id

    def entries(self) -> list[IndexEntry]:
        """Return the messages as index entries, as if each was sent to POST /v1/events."""
        return [
            index_entry(memory) for message in self.messages for memory in project_event(self._event(message))
        ]

    def _event(self, message: Message) -> Event:
        return Event(
            event_id=message.id,
            tenant_id=TENANT,
            user_id=self.user,
            session_id=message.session,
            type="message.sent",
            occurred_at=message.occurred_at,
            payload={
                "text": message.text,
                "role" if is_role(message.speaker) else "speaker": message.speaker,
            },
        )


def found_ids(memory_ids: Iterable[str]) -> list[str]:
    """Return the ids of the messages behind the ids of their memories."""
    return [memory_id.rpartition("/")[2] for memory_id in memory_ids]


def read_cases(folder: Path) -> list[Case]:
    """Return every case of the folder; raise FileNotFoundError with the expected names."""
    files = sorted(folder.glob("locomo_*.json")) + sorted((folder / "beam").glob("beam_*.json"))
    if not files:
        raise FileNotFoundError(
            f"no locomo_*.json or beam/beam_*.json in {folder}: say DATA=<folder> (see README.md)"
        )
    cases: list[Case] = []
    for file in files:
        raw = json.loads(file.read_text())
        cases += (
            [_locomo(one) for one in raw] if isinstance(raw, list) else [_beam(raw, file.stem.split("_")[1])]
        )
    return cases


def _locomo(raw: dict[str, Any]) -> Case:
    said, numbers = raw["conversation"], []
    numbers = sorted(int(key.split("_")[1]) for key in said if re.fullmatch(r"session_\d+", key))
    messages = tuple(_turn(turn, number, said) for number in numbers for turn in said[f"session_{number}"])
    known = {message.id for message in messages}
    questions = (
        Question(
            item["question"],
            _CATEGORIES[item["category"]],
            frozenset(
                f"D{int(a)}:{int(b)}" for e in item.get("evidence") or [] for a, b in _EVIDENCE.findall(e)
            )
            & known,
        )
        for item in raw["qa"]
    )
    return Case(
        "LoCoMo", raw["sample_id"], messages, tuple(question for question in questions if question.gold)
    )


def _turn(turn: dict[str, str], session: int, said: dict[str, Any]) -> Message:
    photo = f" [shares a photo: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
    held = datetime.strptime(said[f"session_{session}_date_time"], "%I:%M %p on %d %B, %Y").replace(
        tzinfo=UTC
    )
    order = timedelta(seconds=int(turn["dia_id"].split(":")[1]))
    return Message(turn["dia_id"], turn["speaker"], turn["text"] + photo, str(session), held + order)


def _beam(raw: dict[str, Any], tier: str) -> Case:
    messages, day = [], _UNDATED
    for batch in raw["chat"]:
        for said in (message for turn in batch["turns"] for message in turn):
            if said.get("time_anchor"):
                day = max(day, datetime.strptime(said["time_anchor"], "%B-%d-%Y").replace(tzinfo=UTC))
            day += timedelta(seconds=1)
            text = _TAIL.sub("", said["content"])
            messages.append(Message(str(said["id"]), said["role"], text, str(batch["batch_number"]), day))
    known = {message.id for message in messages}
    questions = (
        Question(item["question"], category, frozenset(map(str, _ints(item.get("source_chat_ids")))) & known)
        for category, items in raw["probing_questions"].items()
        for item in items
    )
    return Case(
        f"BEAM {tier}",
        str(raw["id"]),
        tuple(messages),
        tuple(question for question in questions if question.gold),
    )


def _ints(value: object) -> Iterator[int]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _ints(part)
    elif isinstance(value, list):
        for part in value:
            yield from _ints(part)
