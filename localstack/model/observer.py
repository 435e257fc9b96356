"""The observer: reads the `<events>` block of an extraction prompt and answers with facts."""

import json
import re
from collections.abc import Iterator
from typing import Any

from localstack.model.reading import SentenceReading, read_sentence
from localstack.model.sentences import clauses_of

SPEECH = frozenset({"message.sent", "turn.recorded"})
BLOCK = re.compile(r"<events>\n(.*?)\n?</events>", re.DOTALL)


def events_in(text: str) -> list[dict[str, Any]] | None:
    """Return the events of the block, one JSON object a line; None where there is no block."""
    block = BLOCK.search(text)
    return [json.loads(line) for line in block[1].split("\n") if line.strip()] if block else None


def observe(events: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the facts of what was said; what was done is left to the rules in code."""
    return [fact for event in events if event.get("type") in SPEECH for fact in _facts(event)]


def _facts(event: dict[str, Any]) -> Iterator[dict[str, str]]:
    known: set[tuple[str, str]] = set()
    for reading in _readings(str(event["text"])):
        if (reading.attribute, reading.value.lower()) not in known:
            known.add((reading.attribute, reading.value.lower()))
            yield {
                "event_id": event["event_id"],
                "subject": reading.subject,
                "attribute": reading.attribute,
                "value": reading.value,
                "quote": reading.quote,
                "kind": reading.kind,
                "stance": reading.stance,
            }


def _readings(text: str) -> Iterator[SentenceReading]:
    for clause in clauses_of(text):
        yield from read_sentence(clause)
