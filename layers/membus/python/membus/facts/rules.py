"""Behaviour rules: what actions of a user say, deterministic and without a model, so they cost no tokens."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from membus.core.clock import epoch_ms, from_epoch_ms
from membus.core.event import Event, RecordedEvent
from membus.core.text.normalization import is_blank, normalize_text
from membus.facts.attributes import fact_key, is_key_letter, slugify
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
from membus.facts.observation import Observation, Provenance
from membus.facts.text_checks import is_small_talk, looks_like_instruction
from membus.tenants.settings import RuleWindow

FIELD_TEXT_MAX, GROUP_TEXT_MAX = 2_000, 100
"""Characters of a field that are read, and of a value to count by: a longer one is no name."""
LATE_ARRIVAL_MARGIN = timedelta(days=7)
"""The time that a mark outlives the window of its rules: messages wait in queues, or are replayed."""


@dataclass(frozen=True)
class SignalMark:
    """What an event leaves in a rule group: enough to apply a rule without reading the event again."""

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
    """A mark in a rule group; `group` is the value that it is counted by, such as a status."""

    rule_group: RuleGroup
    group: str
    mark: SignalMark

    @property
    def window_span(self) -> timedelta:
        """How far from the mark its rules look, to either side."""
        return max(rule.within for rule in self.rule_group.rules)

    @property
    def neighbour_limit(self) -> int | None:
        """How many neighbours on either side can matter; None for all within the window."""
        if any(isinstance(rule, SequenceRule) for rule in self.rule_group.rules):
            return None
        return max(rule.count for rule in self.rule_group.rules if not isinstance(rule, SequenceRule)) - 1

    @property
    def expires_at(self) -> datetime:
        return self.mark.learned_at + self.window_span + LATE_ARRIVAL_MARGIN


def rule_groups_with(windows: Mapping[str, RuleWindow]) -> tuple[RuleGroup, ...]:
    """Return the rule groups with a tenant's own counts and times for counting rules, by the rule's name."""
    return tuple(
        replace(group, rules=tuple(_with_window(rule, windows.get(rule.name)) for rule in group.rules))
        for group in RULE_GROUPS
    )


def _with_window(rule: BehaviourRule, own: RuleWindow | None) -> BehaviourRule:
    if own is None or isinstance(rule, SequenceRule):
        return rule
    return replace(rule, count=own.count, within=timedelta(minutes=own.minutes))


def match_signals(
    recorded: RecordedEvent, quote: str, rule_groups: Sequence[RuleGroup] = RULE_GROUPS
) -> list[Signal]:
    """Return the marks that an event leaves; `quote` is the event in words."""
    event = recorded.event
    moments = recorded.true_from, recorded.learned_at
    return [
        Signal(rule_group, group, SignalMark(*moments, event.event_id, event.type, event.origin, quote, part))
        for rule_group in rule_groups
        if (part := match_part(rule_group, event)) is not None
        and (group := group_value(rule_group, event)) is not None
    ]


def match_part(rule_group: RuleGroup, event: Event) -> str | None:
    """Return the part of a rule group that an event is of, if any."""
    return next((part for part, match in rule_group.parts.items() if matches_pattern(match, event)), None)


def matches_pattern(match: EventPattern, event: Event) -> bool:
    if event.known_type != match.type:
        return False
    fields = event.fields
    return all(_is_met(condition, fields) for condition in match.where)


def group_value(rule_group: RuleGroup, event: Event) -> str | None:
    """Return the value that an event is counted by, None where it has none; a page's query does not count."""
    if rule_group.group == "session_id":
        return event.session_id
    if not rule_group.group:
        return ""
    name, _, folder = rule_group.group.partition("/")
    value = event.fields.get(name)
    text = normalize_text(str(value)[:FIELD_TEXT_MAX]) if _is_whole(value) or not is_blank(value) else ""
    if name == "path":
        text = re.split(r"[?#]", text)[0].rstrip("/")
        text = text.lstrip("/").split("/")[0] if folder else text
    return text if 0 < len(text) <= GROUP_TEXT_MAX and not looks_like_instruction(text) else None


def _is_met(condition: FieldCondition, payload: Mapping[str, object]) -> bool:
    value, least, most = payload.get(condition.field), condition.least, condition.most
    if condition.pattern is not None:
        return isinstance(value, str) and condition.pattern.match(value) is not None
    if not isinstance(value, int) or not _is_whole(value):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


RULES_VERSION = "4"
PAGES_NAMED_MAX = 3
RULE_QUOTE_MAX = 200
RULE_VALUE_MAX = 200
_PLACE = re.compile(r"\{(\w+)\}")


def needs_extraction(event: Event) -> bool:
    """Whether a rule or the model has to read an event; any other event is only recorded."""
    return (
        event.type in {CORRECTED, RETRACTED}
        or needs_model(event)
        or any(matches_pattern(rule.match, event) for rule in ACTION_RULES)
        or any(
            match_part(rule_group, event) is not None and group_value(rule_group, event) is not None
            for rule_group in RULE_GROUPS
        )
    )


def needs_model(event: Event) -> bool:
    """Whether a user said something that may hold a fact; only such an event costs tokens."""
    return event.user_text is not None and not is_small_talk(event.user_text)


def find_signals(recorded: RecordedEvent, rule_groups: Sequence[RuleGroup] = RULE_GROUPS) -> list[Signal]:
    """Return the signals of an event, to be counted."""
    event = recorded.event
    fields = event.fields
    detail = fields.get("path") or fields.get("name") or fields.get("query") or ""
    described = describe_event(event)
    quote = described if described != event.type else f"{event.type} {detail}".strip()
    return match_signals(recorded, quote.replace("|", " ")[:RULE_QUOTE_MAX], rule_groups)


def apply_rules(signal: Signal, marks: Iterable[SignalMark]) -> Iterator[Observation]:
    """Yield what the rules of a signal's group conclude from its marks.

    More marks only ever add observations.
    """
    ordered = sorted(set(marks), key=_in_time)
    for rule in signal.rule_group.rules:
        yield from (
            _apply_count(rule, signal, ordered)
            if isinstance(rule, CountRule)
            else _apply_sequence(rule, signal, ordered)
        )


def _apply_count(rule: CountRule, signal: Signal, ordered: list[SignalMark]) -> Iterator[Observation]:
    """A mark completes the rule when the `count - 1` before it lie within the window.

    So a new mark matters to itself and to the next `count - 1` only: its neighbours that far are all one
    needs.
    """
    for place, (start, last) in enumerate(zip(ordered, ordered[rule.count - 1 :], strict=False)):
        if last.occurred_at - start.occurred_at <= rule.within:
            how = f"{rule.count} times within {_describe_span(rule.within)}"
            marks = ordered[place : place + rule.count]
            yield from _conclude(rule, signal.group, last, how, pages=_name_pages(marks))


def _apply_sequence(rule: SequenceRule, signal: Signal, ordered: list[SignalMark]) -> Iterator[Observation]:
    ends = [mark for mark in ordered if mark.part == rule.end]
    for start in (mark for mark in ordered if mark.part in rule.starts):
        for end in ends:
            if timedelta() < end.occurred_at - start.occurred_at <= rule.within:
                yield from _conclude(rule, signal.group, start, f"then {end.event_type}")
                break


def _name_pages(marks: Iterable[SignalMark]) -> str:
    """Return « on /cart and /pay» from errors in words, empty where no page is named."""
    pages = list(dict.fromkeys(page for mark in marks if (page := mark.quote.partition(" on ")[2])))
    if not pages:
        return ""
    shown, more = pages[:PAGES_NAMED_MAX], len(pages) - PAGES_NAMED_MAX
    return f" on {' and '.join(shown)}" + (f" and {more} more" if more > 0 else "")


def _conclude(
    rule: BehaviourRule, group: str, mark: SignalMark, how: str, *, pages: str = ""
) -> Iterator[Observation]:
    provenance = Provenance(
        event_id=mark.event_id,
        event_type=mark.event_type,
        origin=mark.origin,
        quote=f"{mark.quote}, {how}",
        rule=rule.name,
    )
    template = rule.template
    count = rule.count if isinstance(rule, CountRule) else 1
    value = template.value.format(group=group, pages=pages, count=count)
    names = template.named_by.format(group=group) if template.named_by else value
    moments = (mark.occurred_at, mark.learned_at)
    yield from _observe(template, template.attribute, value, moments, provenance, names=names)


def observe_action(recorded: RecordedEvent) -> list[Observation]:
    """Return what an action says by itself: a changed setting is the setting's new value."""
    return [
        seen
        for rule in ACTION_RULES
        if matches_pattern(rule.match, recorded.event)
        for seen in _apply_action(rule, recorded)
    ]


def _apply_action(rule: ActionRule, recorded: RecordedEvent) -> Iterator[Observation]:
    event, template = recorded.event, rule.template
    payload = event.fields
    names = _PLACE.findall(template.attribute + template.value)
    fields = {name: payload[name] for name in names if name in payload}
    if len(fields) < len(set(names)) or not all(_is_plain(name, value) for name, value in fields.items()):
        return
    texts = {name: _text(value) for name, value in fields.items()}
    if looks_like_instruction(" ".join(texts.values())):
        return
    provenance = Provenance(
        event_id=event.event_id,
        event_type=event.type,
        origin=event.origin,
        quote=describe_event(event)[:RULE_QUOTE_MAX],
        rule=rule.name,
        position=event.position,
    )
    attribute = template.attribute.format(**{name: _path(text) for name, text in texts.items()})
    moments = (recorded.true_from, recorded.learned_at)
    value = template.value.format(**texts)
    if template.kind == "setting" and is_blank(value):
        value = json.dumps(value)  # a setting may be emptied, and a blank value shows nobody what it is
    yield from _observe(template, attribute, value, moments, provenance)


def describe_event(event: Event) -> str:
    """Return an action in words, for people who ask where a fact comes from."""
    payload = event.fields
    match event.known_type:
        case "error.shown":
            shown = f"HTTP {payload['status']}" if "status" in payload else "an error"
            return f"{shown} on {payload['path']}" if payload.get("path") else shown
        case "setting.changed":
            before = f" from {_text(payload['from'])}" if "from" in payload else ""
            return f"changed {payload.get('name')}{before} to {_text(payload.get('to'))}"
        case _:
            return event.type


def _text(value: object) -> str:
    """Return a value of a payload as a text: numbers, true, false and null as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _observe(
    template: FactTemplate,
    attribute: str,
    value: str,
    moments: tuple[datetime, datetime],
    provenance: Provenance,
    *,
    names: str | None = None,
) -> Iterator[Observation]:
    """Yield the observation of a template; `names` makes its key where the value does not."""
    if key := fact_key(attribute, names or value):
        yield Observation(
            key=key,
            value=value[:RULE_VALUE_MAX],
            kind=template.kind,
            trust=template.trust,
            confidence=template.confidence,
            valid_from=moments[0],
            learned_at=moments[1],
            provenance=provenance,
        )


def _is_plain(name: str, value: object) -> bool:
    """Whether a field is usable: a name has to be a text; a value may also be a number, true, false or null."""
    return isinstance(value, str) or (name != "name" and (value is None or isinstance(value, int | float)))


def _path(name: str) -> str:
    """Return a name as a part of a key, in any script; one of signs alone becomes a digest."""
    letters = (
        character if is_key_letter(character) or character == "." else " " for character in _fold(name)
    )
    return "_".join("".join(letters).split()).strip("_.") or slugify(name)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _describe_span(span: timedelta) -> str:
    if span >= timedelta(days=1):
        return f"{span.days} days" if span.days > 1 else "a day"
    minutes = span.total_seconds() / 60
    return f"{minutes:g} minutes" if minutes >= 1 else f"{span.total_seconds():g} seconds"


def _in_time(mark: SignalMark) -> tuple[datetime, str]:
    return mark.occurred_at, mark.event_id
