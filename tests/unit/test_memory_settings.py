"""What a tenant sets for its memory: by API and command, and what extraction makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.extract.prompt import CURRENT_INSTRUCTIONS
from membus.tenants.settings import AttributeSettings, ExtractionSettings, MemorySettings
from tests.factories import a_candidate, a_server_error, an_event, said
from tests.support.api_client import EVERYDAY, ApiTestClient
from tests.support.extraction import Extraction, proposing
from tests.support.targets import a_target, a_tenant, run_on

PATH = "/v1/settings"
ZONE = {"attribute": "garden.zone", "values": "one"}
ADMIN = (*EVERYDAY, "admin")


def saying(attribute: str, value: str, words: str) -> dict[str, Any]:
    return a_candidate(attribute=attribute, value=value, quote=words, kind="preference").model_dump()


def reading(settings: MemorySettings, **facts: dict[str, Any]) -> Extraction:
    extraction = Extraction(proposing(**{name: each | {"event_id": name} for name, each in facts.items()}))
    extraction.settings.change("acme", settings)
    return extraction


def test_settings_are_replaced_whole_and_each_version_is_kept(door: ApiTestClient) -> None:
    door.scopes = ADMIN
    first = door.put(PATH, {"extraction": {"attributes": [ZONE]}})
    second = door.put(PATH, {"memory_scope": "user", "expected_version": 1})

    assert (first.status, first.json["version"], first.headers["etag"]) == (200, 1, '"1"')
    assert second.json["settings"]["extraction"]["attributes"] == []
    assert door.get(PATH).json["version"] == 2
    assert (
        door.get(PATH, "version=1").json["settings"]["extraction"]["attributes"][0]["attribute"]
        == "garden.zone"
    )
    assert door.get(PATH, "version=9").status == 404


def test_the_same_settings_again_change_nothing(door: ApiTestClient) -> None:
    door.scopes = ADMIN
    body = {"memory_scope": "user"}

    assert [door.put(PATH, body).json["version"] for _ in range(2)] == [1, 1]


def test_a_change_of_settings_that_another_has_changed_is_refused(door: ApiTestClient) -> None:
    door.scopes = ADMIN
    door.put(PATH, {"memory_scope": "user"})

    refused = door.put(PATH, {"memory_scope": "agent", "expected_version": 0})

    assert (refused.status, refused.code) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"rules": {"no-such-rule": {"count": 1, "minutes": 1}}}, "no-such-rule"),
        ({"rules": {"abandoned-checkout": {"count": 1, "minutes": 1}}}, "abandoned-checkout"),
        ({"extraction": {"attributes": [{"attribute": "setting.theme"}]}}, "setting.theme"),
        ({"extraction": {"attributes": [{"attribute": "job"}, {"attribute": "work.role"}]}}, "one attribute"),
        ({"extraction": {"instructions": "The password is: hunter2-x"}}, "password"),
        ({"agents": {"a": {"attributes": [{"attribute": "activity.x"}]}}}, "agents.a"),
    ],
)
def test_what_cannot_be_set_is_named(door: ApiTestClient, body: dict[str, Any], word: str) -> None:
    door.scopes = ADMIN

    refused = door.put(PATH, body)

    assert (refused.status, refused.code) == (422, "bad_settings")
    assert word in refused.json["detail"]
    assert door.get(PATH).json["version"] == 0


@pytest.mark.parametrize(
    "body", [{"memory_scope": "all"}, {"extraction": {"instructions": "x" * 2_001}}, {"colour": "red"}]
)
def test_malformed_settings_are_refused(door: ApiTestClient, body: dict[str, Any]) -> None:
    door.scopes = ADMIN

    assert door.put(PATH, body).status == 422


def test_settings_are_for_administrators(door: ApiTestClient) -> None:
    assert (door.get(PATH).status, door.put(PATH, {}).status) == (403, 403)


def test_command_sets_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, file = run_on(a_target(a_tenant())), tmp_path / "settings.json"
    file.write_text(json.dumps({"extraction": {"never": ["health"]}}))

    assert run("tenant", "settings", "acme", "--set", file, "--dry-run") == 0
    assert run("tenant", "settings", "acme", "--set", file) == 0
    capsys.readouterr()
    assert run("tenant", "settings", "acme", "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    assert (shown["version"], shown["settings"]["extraction"]["never"]) == (1, ["health"])


def test_command_names_what_is_wrong_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"memory_scope": "all"}')

    assert run_on(a_target(a_tenant()))("tenant", "settings", "acme", "--set", file) != 0
    assert "memory_scope" in capsys.readouterr().err


def test_the_model_is_told_what_the_tenant_wants_and_what_the_agent_wants() -> None:
    own = ExtractionSettings(
        instructions="Keep plants.", attributes=(AttributeSettings(**ZONE),), never=("health",)
    )
    planner = ExtractionSettings(instructions="Keep deadlines.")
    extraction = reading(MemorySettings(extraction=own, agents={"planner": planner}))

    extraction.send(said("I grow roses here", "e1"), said("I plan to prune", "e2", agent_id="planner"))

    plain, planned = (prompt.system[0].text for prompt in extraction.prompts())
    assert plain.startswith(CURRENT_INSTRUCTIONS.text)
    assert "Keep plants." in plain
    assert "one value: garden.zone" in plain
    assert "Never propose: health." in plain
    assert ("Keep deadlines." in plain, "Keep deadlines." in planned) == (False, True)


def test_a_tenant_without_settings_is_asked_about_as_before() -> None:
    extraction = reading(MemorySettings())

    extraction.send(said("I grow roses here", "e1"), said("I plan to prune", "e2", agent_id="planner"))

    (prompt,) = extraction.prompts()
    assert prompt.system[0].text == CURRENT_INSTRUCTIONS.text


def test_an_attribute_of_its_own_holds_one_value_or_many_as_the_tenant_says() -> None:
    own = ExtractionSettings(
        attributes=(AttributeSettings(**ZONE), AttributeSettings(attribute="work.role", values="many"))
    )
    extraction = reading(
        MemorySettings(extraction=own),
        e1=saying("garden.zone", "seven", "My zone is seven"),
        e2=saying("garden.zone", "eight", "My zone is eight"),
        e3=saying("work.role", "nurse", "I work as a nurse"),
        e4=saying("work.role", "baker", "I work as a baker"),
    )

    for number, words in enumerate(
        ("My zone is seven", "My zone is eight", "I work as a nurse", "I work as a baker"), 1
    ):
        assert extraction.send(said(words, f"e{number}")) == []

    assert extraction.known() == {
        "garden.zone": "eight",
        "work.role.nurse": "nurse",
        "work.role.baker": "baker",
    }


def test_what_is_never_to_be_kept_is_not_whoever_proposes_it() -> None:
    never = ExtractionSettings(never=("allergy", "frustrated_by"))
    extraction = reading(
        MemorySettings(extraction=never), e1=saying("allergies", "nuts", "I am allergic to nuts")
    )

    extraction.send(said("I am allergic to nuts", "e1"), *(a_server_error(f"x{n}") for n in range(3)))

    assert extraction.known() == {}
    assert extraction.refused == ["unwanted"]


def test_what_expires_holds_so_many_days_after_it_was_said() -> None:
    lasting = ExtractionSettings(
        attributes=(AttributeSettings(attribute="mood", expires_after_days=2, half_life_days=1),)
    )
    extraction = reading(
        MemorySettings(extraction=lasting), e1=saying("mood", "tired", "I feel tired all week")
    )
    event = an_event("e1", payload={"text": "I feel tired all week"})

    extraction.send(event)

    (fact,) = extraction.facts.list_observations(event.owner)
    assert fact.valid_until is not None
    assert (fact.valid_until - event.occurred_at).days == 2
    assert fact.half_life_days == 1


def test_rules_count_as_the_tenant_says() -> None:
    rules = {"repeated-server-error": {"count": 2, "minutes": 60}}
    extraction = reading(MemorySettings.model_validate({"rules": rules}))

    extraction.send(a_server_error("x1"), a_server_error("x2"))

    assert extraction.known() == {"frustrated_by.error-500": "HTTP 500 on /checkout, 2 times"}
