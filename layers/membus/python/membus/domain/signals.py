"""Marks of behaviour: what one event leaves behind to be counted, and which rules count it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from membus.domain.behaviour import RULE_GROUPS, EventPattern, FieldCondition, RuleGroup, SequenceRule
from membus.domain.event import Event, RecordedEvent, epoch_ms, from_epoch_ms
from membus.domain.instructions import looks_like_instruction
from membus.domain.utterance.text import normalize_text
from membus.domain.visible import is_blank

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
    def within(self) -> timedelta:
        """How far from the mark, to either side, its rules look."""
        return max(rule.within for rule in self.trail.rules)

    @property
    def reach(self) -> int | None:
        """How many neighbours on either side can matter; None for all within the window."""
        if any(isinstance(rule, SequenceRule) for rule in self.trail.rules):
            return None
        return max(rule.count for rule in self.trail.rules if not isinstance(rule, SequenceRule)) - 1

    @property
    def expires_at(self) -> datetime:
        return self.mark.learned_at + self.within + LATE_ARRIVAL_MARGIN


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
