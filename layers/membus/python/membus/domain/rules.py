"""Deterministic rules over behaviour: they read events that are not speech and cost no tokens."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from membus.domain.attributes import fact_key
from membus.domain.corrections import CORRECTED, RETRACTED
from membus.domain.event import Event, Recorded, epoch_ms, from_epoch_ms
from membus.domain.facts import Kind, Observation, Provenance, Trust
from membus.domain.instructions import reads_as_instruction

RULES_VERSION = "2"
QUOTE_MAX = 200


@dataclass(frozen=True)
class Repeated:
    """`count` events of a type with the same `group` value (at least `least`) within `within` mean `attribute`."""

    name: str
    event_type: str
    group: str
    least: int
    count: int
    within: timedelta
    attribute: str
    value: str
    kind: Kind


REPEATED = (
    Repeated(
        name="repeated-server-error", event_type="error.shown", group="status", least=500, count=3,
        within=timedelta(minutes=5), attribute="frustrated_by", value="error {group}", kind="behaviour",
    ),
)  # fmt: skip


READ_TYPES = frozenset({CORRECTED, RETRACTED, "setting.changed", *(rule.event_type for rule in REPEATED)})


def needs_reader(event: Event) -> bool:
    """Whether anybody has to look at this event; most clicks and page views end with being recorded."""
    return event.type in READ_TYPES or event.speech is not None


@dataclass(frozen=True)
class Mark:
    """One event's trace in a signal: enough to recompute a rule without reading the event again."""

    occurred_at: datetime
    learned_at: datetime
    event_id: str
    origin: str
    quote: str

    def __str__(self) -> str:
        return "|".join(
            (
                str(epoch_ms(self.occurred_at)),
                str(epoch_ms(self.learned_at)),
                self.origin,
                self.event_id,
                self.quote,
            )
        )

    @classmethod
    def parse(cls, text: str) -> "Mark":
        occurred, learned, origin, rest = text.split("|", 3)
        event_id, quote = rest.rsplit("|", 1)
        return cls(from_epoch_ms(int(occurred)), from_epoch_ms(int(learned)), event_id, origin, quote)


@dataclass(frozen=True)
class Signal:
    """A rule that an event counts for, and the event's trace; `group` tells errors 500 from errors 503."""

    rule: Repeated
    group: str
    mark: Mark


def signals(recorded: Recorded) -> list[Signal]:
    """Return the repeated-behaviour rules that this event counts for."""
    event = recorded.event
    return [
        Signal(rule, str(event.payload[rule.group]), _mark(recorded))
        for rule in REPEATED
        if event.type == rule.event_type and _at_least(event.payload.get(rule.group), rule.least)
    ]


def repeated(signal: Signal, marks: Iterable[Mark]) -> Iterator[Observation]:
    """Yield one observation for every mark that completes the rule; more marks only ever add observations.

    A mark completes it when the `count - 1` before it lie within the window. So a new mark can only matter to
    itself and to the next `count - 1`, and its neighbours that far on both sides tell all there is to know.
    """
    rule, ordered = signal.rule, sorted(set(marks), key=_in_time)
    value = rule.value.format(group=signal.group)
    key = fact_key(rule.attribute, value)
    for start, last in zip(ordered, ordered[rule.count - 1 :], strict=False):
        if key and last.occurred_at - start.occurred_at <= rule.within:
            yield Observation(
                key=key, value=value, kind=rule.kind, trust=Trust.OBSERVED, confidence=1.0,
                valid_from=last.occurred_at, learned_at=last.learned_at,
                provenance=Provenance(
                    event_id=last.event_id, event_type=rule.event_type, origin=last.origin,
                    quote=f"{last.quote}, {rule.count} times within {rule.within.total_seconds() / 60:g} minutes",
                    rule=rule.name,
                ),
            )  # fmt: skip


def stated_by_action(recorded: Recorded) -> list[Observation]:
    """Return what one action says by itself: a changed setting is the setting's new value."""
    event, payload = recorded.event, recorded.event.payload
    name, value = payload.get("name"), payload.get("to")
    if event.type != "setting.changed" or not isinstance(name, str) or not isinstance(value, str | int | float):
        return []
    if reads_as_instruction(f"{name} {value}"):
        return []
    path = re.sub(r"[^a-z0-9.]+", "_", name.casefold()).strip("_.")
    key = fact_key(f"setting.{path}", str(value))
    provenance = Provenance(
        event_id=event.event_id, event_type=event.type, origin=event.origin,
        quote=rendering(event)[:QUOTE_MAX], rule="setting-changed",
    )  # fmt: skip
    return [
        Observation(
            key=key, value=str(value)[:200], kind="setting", trust=Trust.OBSERVED, confidence=1.0,
            valid_from=recorded.true_from, learned_at=recorded.learned_at, provenance=provenance,
        )
    ] if key else []  # fmt: skip


def rendering(event: Event) -> str:
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


def _mark(recorded: Recorded) -> Mark:
    event = recorded.event
    quote = rendering(event).replace("|", " ")[:QUOTE_MAX]
    return Mark(recorded.true_from, recorded.learned_at, event.event_id, event.origin, quote)


def _in_time(mark: Mark) -> tuple[datetime, str]:
    return mark.occurred_at, mark.event_id


def _at_least(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
