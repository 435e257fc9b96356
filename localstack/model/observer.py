"""The observer: reads the `<events>` block of an extraction prompt and answers with facts.

Applies the rules to one sentence: what it says of whom, and which words say so.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localstack.model.rulebook import Rule, clauses_of, is_own_statement, rulebook, stance_of, values_of

CLOSE = 40  # characters in which a time before a statement belongs to it
DATED = frozenset({"event", "plan"})


@dataclass(frozen=True)
class SentenceReading:
    subject: str
    attribute: str
    value: str
    quote: str
    kind: str
    stance: str


def read_sentence(sentence: str) -> list[SentenceReading]:
    """Return what the rules read; words that one rule has read are not read by a later one."""
    plain = sentence.replace("\u2019", "'").replace("`", "'")
    taken: list[tuple[int, int]] = []
    readings: list[SentenceReading] = []
    for rule in rulebook().rules:
        for match in rule.pattern.finditer(plain):
            found = _read(rule, match, sentence) if is_own_statement(rule, match) else []
            span = (match.start(), match.start() + len(found[0].quote)) if found else (0, 0)
            if found and (rule.also or all(span[1] <= start or end <= span[0] for start, end in taken)):
                taken.append(span)
                readings.extend(found)
    return readings


def _read(rule: Rule, match: re.Match[str], sentence: str) -> list[SentenceReading]:
    groups = {name.rstrip("0123456789"): name for name, text in match.groupdict().items() if text}
    start, end = match.span(groups.get("value", 0))
    values, length = values_of(rule, match.string[start:end]) if "value" in groups else ([""], end - start)
    said_end = start + length if end == match.end() else match.end()
    time = _time(rule, match.string[: match.start()], match.string[match.start() : said_end])
    if time is None:
        return []
    fill = {name: match[group].strip() for name, group in groups.items()}
    relation = fill.get("relation", "")
    fill["relation"] = rulebook().same.get(relation, relation)
    return [
        SentenceReading(
            subject=fill.get("who", fill["relation"]) if rule.third else "user",
            attribute=rule.attribute.format(**fill).lower(),
            value=" ".join(f"{rule.value.format(**{**fill, 'value': value})} {time}".split()),
            quote=sentence[match.start() : said_end].strip(),
            kind=rule.kind,
            stance=stance_of(rule, match, said_end),
        )
        for value in values
    ]


def _time(rule: Rule, before: str, said: str) -> str | None:
    """Return the words of time that stand before what was said, "" where there are none, None where one is missing."""
    times = rulebook().future if rule.kind == "plan" else rulebook().past
    if rule.attribute not in DATED or times.search(said):
        return ""
    ahead = [found[0] for found in times.finditer(before[-CLOSE:])]
    if ahead:
        return f"{ahead[-1][0].lower()}{ahead[-1][1:]}"
    return None if rule.timed else ""


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
