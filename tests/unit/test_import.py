"""scripts import: records become events of the right user, once, and facts follow from them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from membus.core.errors import InvalidError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.search.memory_projection import project_event
from scripts.transfer.import_command import ImportReport, send_batch
from scripts.transfer.mapping import EventMapper
from scripts.transfer.rows import ImportableEvent, RejectedRow
from tests.factories import ADA, NOON, a_server_error, a_setting, an_event, recorded
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.facts import InMemoryFacts
from tests.support.extraction import Extraction, observant
from tests.support.imports import MINUTE, SAMPLES, delivered, exported, imported, restored_rows
from tests.unit.test_export import Household


@pytest.fixture
def household() -> Household:
    """Return the data of Ada: messages, counted behaviour, corrections and retractions."""
    household = Household()
    household.live()
    extraction = Extraction(observant(), episodes=household.episodes, facts=household.facts)
    extraction.send(
        a_setting("s1"),
        *(a_server_error(f"x{n}", at=NOON + n * MINUTE) for n in range(3)),
        an_event(
            "c2",
            type="fact.corrected",
            payload={"key": "home.city", "value": "Porto"},
            occurred_at=NOON + 9 * MINUTE,
        ),
    )
    return household


@pytest.mark.parametrize(("tenant", "user"), [("zeta", "ada"), ("acme", "ada-2")])
def test_export_imported_elsewhere_gives_the_same_facts(
    household: Household, tmp_path: Path, tenant: str, user: str
) -> None:
    result, events = imported(exported(household, tmp_path), "membus", tenant=tenant, user=user)

    facts = delivered(events).facts
    assert result.bad == []
    assert isinstance(facts, InMemoryFacts)
    there = restored_rows(facts, Owner(tenant=tenant, user=user))
    assert there == restored_rows(household.facts, ADA)
    assert there["home.city"][0] == "Porto"
    assert "likes.tea" not in there
    assert {"setting.theme", "home.city"} < set(there), "and what the errors say"


def test_second_import_changes_nothing(household: Household, tmp_path: Path) -> None:
    archive = exported(household, tmp_path)
    first, again = (imported(archive, "membus", user="ada-2")[1] for _ in range(2))

    once, twice = delivered(first), delivered([*first, *again])

    assert [each.event.event_id for each in first] == [each.event.event_id for each in again]
    owner = Owner(tenant="zeta", user="ada-2")
    assert once.facts.list_observations(owner) == twice.facts.list_observations(owner)


def test_event_that_stays_with_its_user_keeps_its_id(household: Household, tmp_path: Path) -> None:
    archive = exported(household, tmp_path)
    _, same = imported(archive, "membus", tenant="acme", user="ada")
    _, other = imported(archive, "membus", tenant="acme", user="ada-2")

    assert {each.event.event_id for each in same} == {"e1", "e2", "c1", "s1", "x0", "x1", "x2", "c2"}
    assert {each.event.event_id for each in same}.isdisjoint(each.event.event_id for each in other)
    assert [each.learned_at for each in same] == [each.learned_at for each in other]


def test_statement_without_speaker_is_recorded_and_becomes_no_fact(tmp_path: Path) -> None:
    file = tmp_path / "mem0.jsonl"
    file.write_text(
        '{"id": "1", "memory": "I live in Lisbon", "user_id": "u", "created_at": "2025-01-01T00:00:00Z"}\n'
    )
    _, events = imported(file, "mem0")

    extraction = delivered(events)

    assert [each.event.type for each in events] == ["memory.imported"]
    assert extraction.prompts() == []
    assert extraction.known(Owner(tenant="zeta", user="ada")) == {}


def test_statement_without_speaker_is_searchable_by_text_and_source() -> None:
    _, events = imported(SAMPLES / "mem0.json", "mem0")

    (memory,) = project_event(events[0].event)

    assert (memory.text, memory.speaker) == ("Is vegetarian and likes hiking", None)
    assert memory.metadata["source"] == "mem0"


def test_message_of_the_user_elsewhere_becomes_a_fact_with_evidence() -> None:
    _, events = imported(SAMPLES / "zep.jsonl", "zep")

    facts = delivered(events).facts
    city = facts.get_fact(Owner(tenant="zeta", user="ada"), "home.city")
    assert (city.value, city.provenance.quote) == ("Lisbon.", "I live in Lisbon.")
    assert city.valid_from == datetime.fromisoformat("2025-03-01T12:00:00.123456+00:00")
    assert city.provenance.event_id.startswith("zep-")


def test_record_without_time_is_rejected_unless_the_operator_names_one() -> None:
    found = ImportableEvent("line 1", "1", None, "memory.imported", None, {"text": "Likes tea"})
    told = EventMapper("zeta", "letta", NOON, user="ada", at=NOON - MINUTE).map_event(found)

    assert EventMapper("zeta", "letta", NOON, user="ada").map_event(found) == RejectedRow(
        "line 1", "it does not say when: name a time with --at"
    )
    assert isinstance(told, RecordedEvent)
    assert (told.event.occurred_at, told.learned_at) == (NOON - MINUTE, NOON)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"payload": {"text": "x" * 200_001}}, "larger"),
        ({"type": "fact.recorded", "payload": {"key": "a"}}, "only membus publishes"),
        ({"type": "Nonsense"}, "type"),
        ({"occurred_at": NOON.replace(year=1960)}, "occurred_at"),
    ],
)
def test_record_that_cannot_be_an_event_is_rejected_with_its_reason(
    changes: dict[str, Any], why: str
) -> None:
    fields: dict[str, Any] = {
        "type": "message.sent",
        "occurred_at": NOON,
        "payload": {"text": "hi"},
    } | changes
    bad = EventMapper("zeta", "membus", NOON, user="ada").map_event(
        ImportableEvent("line 7", "e1", "ada", **fields)
    )

    assert isinstance(bad, RejectedRow)
    assert bad.where == "line 7"
    assert why in bad.why


def test_event_that_is_not_remembered_is_sent_without_its_payload() -> None:
    found = ImportableEvent("line 1", "e1", "ada", "message.sent", NOON, {"text": "hi"}, remember=False)

    told = EventMapper("zeta", "membus", NOON, user="ada").map_event(found)

    assert isinstance(told, RecordedEvent)
    assert (told.event.remember, told.event.payload) == (False, {})


def test_event_that_the_bus_refused_is_reported_by_its_place() -> None:
    result = ImportReport()

    send_batch(
        [("line 1", recorded()), ("line 2", recorded(an_event("e2")))],
        InMemoryEventBus({"e2": "Throttling"}),
        result,
    )

    assert result.events == {"message.sent": 1}
    assert [each.where for each in result.bad] == ["line 2"]


@pytest.mark.parametrize("harm", ["cut", "changed", "later", "other"])
def test_damaged_export_file_is_refused(household: Household, tmp_path: Path, harm: str) -> None:
    archive = exported(household, tmp_path)
    with ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    told = json.loads(files["manifest.json"])
    if harm == "cut":
        del files["manifest.json"]
    elif harm == "changed":
        files["facts.jsonl"] += b"{}\n"
    else:
        changed = {"schema_version": 3} if harm == "later" else {"format": "other"}
        files["manifest.json"] = json.dumps(told | changed).encode()
    with ZipFile(archive, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)

    with pytest.raises(InvalidError):
        imported(archive, "membus")
