"""Applies the rules to one sentence: what it says of whom, and which words say so."""

import re
from dataclasses import dataclass

from localstack.model.rulebook import Rule, rulebook
from localstack.model.stance import is_own_statement, stance_of
from localstack.model.values import values_of

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
