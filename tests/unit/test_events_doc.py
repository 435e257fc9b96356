"""docs/events.md.

The event types that teach something, and those that membus publishes, as the code has them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest

from functions.chat.turn_records import summary_due_event, turn_recorded_event
from functions.index.projection import fact_announcement
from membus.core.event import IMPORTED_EVENT_TYPE, Event
from membus.core.event_shapes import TEXT_FIELDS, TYPE_ALIASES
from membus.erasure.model import erasure_due, new_erasure_job
from membus.facts.behaviour_rules import ACTION_RULES, RULE_GROUPS
from membus.facts.corrections import CORRECTED, RETRACTED
from membus.facts.observation import Observation
from membus.facts.rules import apply_rules, find_signals, needs_model, observe_action
from membus.search.memory_projection import project_event
from membus.transfer.model import Export, export_due
from scripts.documents import EVENTS, ROOT
from scripts.reextraction.signals import InMemorySignals
from tests.factories import ADA, NOON, a_conversation, a_fact, a_turn, an_event, recorded

TEXT = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
TIMES = 5
"""As often as any rule counts; half a second apart, within the shortest window."""


@dataclass(frozen=True)
class Row:
    """One line of a table: a type, an example of its payload, and what the document says of it."""

    type: str
    payload: dict[str, Any]
    says: str

    @property
    def facts(self) -> set[str]:
        return set(re.findall(r"`([a-z_]+\.[a-z0-9.-]+)`", self.says)) - TYPES


TYPES = {rule.match.type for rule in ACTION_RULES} | {
    match.type for group in RULE_GROUPS for match in group.parts.values()
}


def rows(heading: str) -> Iterator[Row]:
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n#")[0]
    for line in section.splitlines():
        if found := re.fullmatch(r"\| `([a-z.]+)` \|(.*)\| `(\{.*\})` \| (.*) \|", line):
            yield Row(found[1], json.loads(found[3]), found[4])


RULES, READ = (
    list(rows("Types that state a fact or count towards one")),
    list(rows("Types that a model reads")),
)


def taught(row: Row) -> list[Observation]:
    """Return what rules make of the example, sent again and again before its session ends."""
    types = [(row.type, row.payload)] * TIMES + [("session.ended", {})]
    store = InMemorySignals()
    seen: list[Observation] = []
    for number, (kind, payload) in enumerate(types):
        at = NOON + number * timedelta(seconds=0.5)
        event = recorded(an_event(f"e{number}", type=kind, payload=payload, session_id="s1", occurred_at=at))
        seen += observe_action(event)
        for signal in find_signals(event):
            seen += apply_rules(signal, store.add_signal(ADA, signal))
    return seen


def valid(name: str, instance: object) -> bool:
    schema = json.loads((EVENTS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return bool(jsonschema_rs.validator_for(schema).is_valid(instance))


def published() -> list[Event]:
    """Return one of each kind of event that membus publishes."""
    old, new = a_fact(value="Bristol"), a_fact(value="Bath", event_id="e2")
    gone = new.model_copy(update={"value": None})
    facts = [
        fact_announcement(ADA, now, before, write="1")
        for now, before in ((old, None), (new, old), (gone, new), (None, new))
    ]
    conversation, turn = a_conversation(), a_turn()
    job = new_erasure_job("acme", "ada", request_key=None, requested_by="key", now=NOON)
    export = Export(
        job_id="export_1", tenant="acme", user="ada", subject="s", requested_at=NOON, requested_by="key"
    )
    return [
        *(each for each in facts if each),
        turn_recorded_event(conversation, turn),
        summary_due_event(conversation, turn),
        erasure_due(job),
        export_due(export),
    ]


def test_every_type_that_a_rule_reads_has_a_row() -> None:
    assert {row.type for row in RULES} == TYPES


@pytest.mark.parametrize("row", RULES, ids=lambda row: f"{row.type} {json.dumps(row.payload)}")
def test_an_example_teaches_the_facts_that_its_row_names(row: Row) -> None:
    assert {each.key for each in taught(row)} == row.facts


@pytest.mark.parametrize("row", RULES, ids=lambda row: f"{row.type} {json.dumps(row.payload)}")
def test_a_value_that_a_row_names_is_the_one_that_is_taught(row: Row) -> None:
    values = {(each.key, each.value) for each in taught(row)}

    assert set(re.findall(r"`([a-z._]+)` = “([^”]+)”", row.says)) <= values


def test_every_type_with_words_has_a_row() -> None:
    words = {row.type: an_event(type=row.type, payload=row.payload) for row in READ}

    read = {"turn.recorded", "search.performed", *TEXT_FIELDS}
    assert set(words) == {*read, IMPORTED_EVENT_TYPE}
    assert {kind for kind, event in words.items() if needs_model(event)} == read
    assert all(project_event(event) for event in words.values())


def test_every_other_name_of_a_type_is_listed() -> None:
    section = TEXT.split("\n## Other names and shapes\n")[1].split("\n## ")[0]

    assert all(f"`{name}`" in section for name in TYPE_ALIASES)
    assert set(TYPE_ALIASES.values()) <= {*TYPES, *TEXT_FIELDS}


def test_corrections_are_listed() -> None:
    assert {CORRECTED, RETRACTED} <= set(re.findall(r"\| `(fact\.\w+)` \| `(?:PUT|DELETE)", TEXT))


@pytest.mark.parametrize("event", published(), ids=lambda event: f"{event.type} {event.payload.get('value')}")
def test_what_membus_publishes_is_listed_and_answers_to_its_schema(event: Event) -> None:
    assert f"(events/{event.type}.schema.json)" in TEXT
    assert valid(event.type, json.loads(event.model_dump_json())["payload"])
    assert valid("envelope", json.loads(event.model_dump_json(by_alias=True)))


def test_every_schema_of_a_published_event_has_an_event() -> None:
    files = {file.name.removesuffix(".schema.json") for file in EVENTS.glob("*.schema.json")}

    assert files - {"event", "envelope"} == {event.type for event in published()}


def test_examples_in_json_answer_to_their_schemas() -> None:
    sent, put, announced, _ = (
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)
    )

    assert all(valid("event", event) for event in sent["events"])
    assert valid("envelope", json.loads(put["Detail"]))
    assert valid("envelope", announced["detail"])
    assert valid(announced["detail-type"], announced["detail"]["payload"])
