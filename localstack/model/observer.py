"""The observer: the facts that the rules find in the `<events>` block of an extraction prompt."""

import json
import re
from collections.abc import Iterator
from typing import Any

from localstack.model.rulebook import Rule, clauses_of, is_own_statement, rulebook, stance_of, values_of

CLOSE = 40  # characters in which a time before a statement belongs to it
DATED = frozenset({"event", "plan"})
SPEECH = frozenset({"message.sent", "turn.recorded"})
BLOCK = re.compile(r"<events>\n(.*?)\n?</events>", re.DOTALL)
FoundFact = dict[str, str]


def events_in(text: str) -> list[dict[str, Any]] | None:
    """Return the events of the block, one JSON object a line; None where there is no block."""
    block = BLOCK.search(text)
    return [json.loads(line) for line in block[1].split("\n") if line.strip()] if block else None


def observe(events: list[dict[str, Any]]) -> list[FoundFact]:
    """Return the facts of messages; rules in the functions read all other events."""
    return [fact for event in events if event.get("type") in SPEECH for fact in _read_event(event)]


def _read_event(event: dict[str, Any]) -> Iterator[FoundFact]:
    known: set[tuple[str, str]] = set()
    for clause in clauses_of(str(event["text"])):
        for fact in _read_clause(clause):
            key = fact["attribute"], fact["value"].lower()
            if key not in known:
                known.add(key)
                yield {"event_id": event["event_id"], **fact}


def _read_clause(clause: str) -> list[FoundFact]:
    """Return what the rules find; words that one rule has read are not read by a later one."""
    plain = clause.replace("\u2019", "'").replace("`", "'")
    taken: list[tuple[int, int]] = []
    facts: list[FoundFact] = []
    for rule in rulebook().rules:
        for match in rule.pattern.finditer(plain):
            found = _apply_rule(rule, match, clause) if is_own_statement(rule, match) else []
            span = (match.start(), match.start() + len(found[0]["quote"])) if found else (0, 0)
            if found and (rule.also or all(span[1] <= start or end <= span[0] for start, end in taken)):
                taken.append(span)
                facts.extend(found)
    return facts


def _apply_rule(rule: Rule, match: re.Match[str], clause: str) -> list[FoundFact]:
    groups = {name.rstrip("0123456789"): name for name, text in match.groupdict().items() if text}
    start, end = match.span(groups.get("value", 0))
    values, length = values_of(rule, match.string[start:end]) if "value" in groups else ([""], end - start)
    quote_end = start + length if end == match.end() else match.end()
    time = _find_time(rule, match.string[: match.start()], match.string[match.start() : quote_end])
    if time is None:
        return []
    fill = {name: match[group].strip() for name, group in groups.items()}
    relation = fill.get("relation", "")
    fill["relation"] = rulebook().same.get(relation, relation)
    return [
        {
            "subject": fill.get("who", fill["relation"]) if rule.third else "user",
            "attribute": rule.attribute.format(**fill).lower(),
            "value": " ".join(f"{rule.value.format(**{**fill, 'value': value})} {time}".split()),
            "quote": clause[match.start() : quote_end].strip(),
            "kind": rule.kind,
            "stance": stance_of(rule, match, quote_end),
        }
        for value in values
    ]


def _find_time(rule: Rule, before: str, quote: str) -> str | None:
    """Return the words of time before the quote, "" where none are needed, None where a rule lacks them."""
    times = rulebook().future if rule.kind == "plan" else rulebook().past
    if rule.attribute not in DATED or times.search(quote):
        return ""
    ahead = [found[0] for found in times.finditer(before[-CLOSE:])]
    if ahead:
        return f"{ahead[-1][0].lower()}{ahead[-1][1:]}"
    return None if rule.timed else ""
