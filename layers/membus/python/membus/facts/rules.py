"""Marks of behaviour: what one event leaves behind to be counted, and which rules count it.

Deterministic rules over behaviour: they read events that are not speech and cost no tokens.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from membus.core.clock import epoch_ms, from_epoch_ms
from membus.core.event import Event, RecordedEvent
from membus.core.text.normalization import is_blank, normalize_text
from membus.facts.attributes import fact_key
from membus.facts.behaviour_rules import (
    ACTION_RULES,
    RULE_GROUPS,
    ActionRule,
    BehaviourRule,
    CountRule,
    EventPattern,
    FactTemplate,
    FieldCondition,
    RuleGroup,
    SequenceRule,
)
from membus.facts.corrections import CORRECTED, RETRACTED
from membus.facts.observation import Observation, Provenance, Trust
from membus.facts.text_checks import is_small_talk, looks_like_instruction

FIELD_TEXT_MAX, GROUP_TEXT_MAX = 2_000, 100
"""Characters of a field that are looked at, and of what is counted by: longer names are no names."""
LATE_ARRIVAL_MARGIN = timedelta(days=7)
"""A mark stays this much longer than its rules look back.

The time a message can wait in a queue or a replay takes. What arrives later still starts anew.
"""


@dataclass(frozen=True)
class SignalMark:
    """One event's trace in a trail: enough to draw a rule's conclusion without reading the event again."""

    occurred_at: datetime
    learned_at: datetime
    event_id: str
    event_type: str
    origin: str
    quote: str
    part: str = ""

    def __str__(self) -> str:
        moments = str(epoch_ms(self.occurred_at)), str(epoch_ms(self.learned_at))
        return "|".join((*moments, self.part, self.event_type, self.origin, self.event_id, self.quote))

    @classmethod
    def parse(cls, text: str) -> "SignalMark":
        occurred, learned, part, event_type, origin, rest = text.split("|", 5)
        event_id, quote = rest.rsplit("|", 1)
        return cls(
            from_epoch_ms(int(occurred)),
            from_epoch_ms(int(learned)),
            event_id,
            event_type,
            origin,
            quote,
            part,
        )


@dataclass(frozen=True)
class Signal:
    """An event's mark in a trail; `group` tells errors 500 from errors 503."""

    trail: RuleGroup
    group: str
    mark: SignalMark

    @property
    def window_span(self) -> timedelta:
        """How far from the mark, to either side, its rules look."""
        return max(rule.within for rule in self.trail.rules)

    @property
    def neighbour_limit(self) -> int | None:
        """How many neighbours on either side can matter; None for all within the window."""
        if any(isinstance(rule, SequenceRule) for rule in self.trail.rules):
            return None
        return max(rule.count for rule in self.trail.rules if not isinstance(rule, SequenceRule)) - 1

    @property
    def expires_at(self) -> datetime:
        return self.mark.learned_at + self.window_span + LATE_ARRIVAL_MARGIN


def match_signals(recorded: RecordedEvent, quote: str) -> list[Signal]:
    """Return the marks that an event leaves; `quote` is the event in words."""
    event = recorded.event
    found = ((trail, match_part(trail, event), group_value(trail, event)) for trail in RULE_GROUPS)
    return [
        Signal(
            trail,
            group,
            SignalMark(
                recorded.true_from,
                recorded.learned_at,
                event.event_id,
                event.type,
                event.origin,
                quote,
                part,
            ),
        )
        for trail, part, group in found
        if part is not None and group is not None
    ]


def match_part(trail: RuleGroup, event: Event) -> str | None:
    """Return which part of the trail an event is, None for no part of it."""
    return next((part for part, match in trail.parts.items() if matches_pattern(match, event)), None)


def matches_pattern(match: EventPattern, event: Event) -> bool:
    return event.type == match.type and all(_holds(where, event.payload) for where in match.where)


def group_value(trail: RuleGroup, event: Event) -> str | None:
    """Return what an event is counted by, None where it does not say.

    A page is one page whatever its query.
    """
    if trail.group == "session_id":
        return event.session_id
    if not trail.group:
        return ""
    name, _, folder = trail.group.partition("/")
    value = event.payload.get(name)
    text = normalize_text(str(value)[:FIELD_TEXT_MAX]) if _is_whole(value) or not is_blank(value) else ""
    if name == "path":
        text = re.split(r"[?#]", text)[0].rstrip("/")
        text = text.lstrip("/").split("/")[0] if folder else text
    return text if 0 < len(text) <= GROUP_TEXT_MAX and not looks_like_instruction(text) else None


def _holds(where: FieldCondition, payload: Mapping[str, object]) -> bool:
    value = payload.get(where.field)
    if where.pattern is not None:
        return isinstance(value, str) and where.pattern.match(value) is not None
    if not isinstance(value, int) or not _is_whole(value):
        return False
    return (where.least is None or value >= where.least) and (where.most is None or value <= where.most)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
    return event.user_text is not None and not is_small_talk(event.user_text)


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
