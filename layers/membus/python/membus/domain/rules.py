"""Deterministic rules over behaviour: they read events that are not speech and cost no tokens."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from membus.domain.attributes import fact_key
from membus.domain.behaviour import (
    ACTION_RULES,
    RULE_GROUPS,
    ActionRule,
    BehaviourRule,
    CountRule,
    FactTemplate,
    SequenceRule,
)
from membus.domain.corrections import CORRECTED, RETRACTED
from membus.domain.event import Event, RecordedEvent
from membus.domain.instructions import looks_like_instruction
from membus.domain.observations import Observation, Provenance, Trust
from membus.domain.signals import Signal, SignalMark, group_value, match_part, match_signals, matches_pattern
from membus.domain.small_talk import is_small_talk

RULES_VERSION = "3"
RULE_QUOTE_MAX = 200
RULE_VALUE_MAX = 200
_PLACE = re.compile(r"\{(\w+)\}")


def needs_extraction(event: Event) -> bool:
    """Whether anybody has to look at this event.

    Whatever no rule and no text concerns ends with being recorded.
    """
    return (
        event.type in {CORRECTED, RETRACTED}
        or needs_model(event)
        or any(matches_pattern(rule.match, event) for rule in ACTION_RULES)
        or any(
            match_part(trail, event) is not None and group_value(trail, event) is not None
            for trail in RULE_GROUPS
        )
    )


def needs_model(event: Event) -> bool:
    """Whether the user said something that a model could learn from; only that ever costs tokens."""
    return event.speech is not None and not is_small_talk(event.speech)


def find_signals(recorded: RecordedEvent) -> list[Signal]:
    """Return the marks that this event leaves to be counted."""
    event = recorded.event
    words = describe_event(event)
    detail = event.payload.get("path") or event.payload.get("name") or event.payload.get("query") or ""
    quote = words if words != event.type else f"{event.type} {detail}".strip()
    return match_signals(recorded, quote.replace("|", " ")[:RULE_QUOTE_MAX])


def apply_rules(signal: Signal, marks: Iterable[SignalMark]) -> Iterator[Observation]:
    """Yield what the rules of a trail conclude from the marks around one.

    More marks only ever add observations.
    """
    ordered = sorted(set(marks), key=_in_time)
    for rule in signal.trail.rules:
        yield from (
            _repeated(rule, signal, ordered)
            if isinstance(rule, CountRule)
            else _followed(rule, signal, ordered)
        )


def _repeated(rule: CountRule, signal: Signal, ordered: list[SignalMark]) -> Iterator[Observation]:
    """A mark completes the rule when the `count - 1` before it lie within the window.

    So a new mark can only matter to itself and to the next `count - 1`, and its neighbours that far on both
    sides tell all there is to know.
    """
    for start, last in zip(ordered, ordered[rule.count - 1 :], strict=False):
        if last.occurred_at - start.occurred_at <= rule.within:
            yield from _said(rule, signal.group, last, f"{rule.count} times within {_spoken(rule.within)}")


def _followed(rule: SequenceRule, signal: Signal, ordered: list[SignalMark]) -> Iterator[Observation]:
    ends = [mark for mark in ordered if mark.part == rule.then]
    for first in (mark for mark in ordered if mark.part in rule.first):
        end = next(
            (end for end in ends if timedelta() < end.occurred_at - first.occurred_at <= rule.within), None
        )
        if end:
            yield from _said(rule, signal.group, first, f"then {end.event_type}")


def _said(rule: BehaviourRule, group: str, mark: SignalMark, how: str) -> Iterator[Observation]:
    provenance = Provenance(
        event_id=mark.event_id,
        event_type=mark.event_type,
        origin=mark.origin,
        quote=f"{mark.quote}, {how}",
        rule=rule.name,
    )
    moments = (mark.occurred_at, mark.learned_at)
    yield from _observed(
        rule.says, rule.says.attribute, rule.says.value.format(group=group), moments, provenance
    )


def observe_action(recorded: RecordedEvent) -> list[Observation]:
    """Return what one action says by itself: a changed setting is the setting's new value."""
    return [
        seen
        for rule in ACTION_RULES
        if matches_pattern(rule.match, recorded.event)
        for seen in _stated(rule, recorded)
    ]


def _stated(rule: ActionRule, recorded: RecordedEvent) -> Iterator[Observation]:
    event, says = recorded.event, rule.says
    named = {name: event.payload.get(name) for name in _PLACE.findall(says.attribute + says.value)}
    words = " ".join(map(str, named.values()))
    if not all(_is_plain(name, value) for name, value in named.items()) or looks_like_instruction(words):
        return
    texts = {name: str(value) for name, value in named.items()}
    provenance = Provenance(
        event_id=event.event_id,
        event_type=event.type,
        origin=event.origin,
        quote=describe_event(event)[:RULE_QUOTE_MAX],
        rule=rule.name,
    )
    attribute = says.attribute.format(**{name: _path(text) for name, text in texts.items()})
    moments = (recorded.true_from, recorded.learned_at)
    yield from _observed(says, attribute, says.value.format(**texts), moments, provenance)


def describe_event(event: Event) -> str:
    """Return an action in words, for people who ask why a fact is believed."""
    payload: dict[str, Any] = event.payload
    match event.type:
        case "error.shown":
            return f"HTTP {payload.get('status')} on {payload.get('path', 'an unknown path')}"
        case "setting.changed":
            before = f" from {payload['from']}" if "from" in payload else ""
            return f"changed {payload.get('name')}{before} to {payload.get('to')}"
        case _:
            return event.type


def _observed(
    says: FactTemplate, attribute: str, value: str, moments: tuple[datetime, datetime], provenance: Provenance
) -> Iterator[Observation]:
    key = fact_key(attribute, value)
    if key:
        yield Observation(
            key=key,
            value=value[:RULE_VALUE_MAX],
            kind=says.kind,
            trust=Trust.OBSERVED,
            confidence=says.confidence,
            valid_from=moments[0],
            learned_at=moments[1],
            provenance=provenance,
        )


def _is_plain(name: str, value: object) -> bool:
    """A name is a text; a value may be a number, too."""
    return isinstance(value, str) or (name != "name" and isinstance(value, int | float))


def _path(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", name.casefold()).strip("_.")


def _spoken(span: timedelta) -> str:
    if span >= timedelta(days=1):
        return f"{span.days} days" if span.days > 1 else "a day"
    minutes = span.total_seconds() / 60
    return f"{minutes:g} minutes" if minutes >= 1 else f"{span.total_seconds():g} seconds"


def _in_time(mark: SignalMark) -> tuple[datetime, str]:
    return mark.occurred_at, mark.event_id
