"""GET /v1/users/{user}/events/{event}: what became of an event, whatever that was."""

import json
from typing import Any

import pytest

from membus.core.event import FORGOTTEN
from membus.facts.candidates import EventAnswer
from tests.factories import ADA, NOON, a_candidate, a_setting, an_event, recorded, said
from tests.support.api_client import ApiTestClient
from tests.support.extraction import Extraction, proposing

EVENT = "/v1/users/ada/events/e1"


def outcome(door: ApiTestClient, path: str = EVENT) -> Any:
    answer = door.get(path)
    assert answer.status == 200, answer.text
    return answer.json


def read(door: ApiTestClient, text: str, **candidate: Any) -> Any:
    """Let a model read a message, and return what became of it."""
    fields = {
        "event_id": "e1",
        "quote": text,
        "subject": "user",
        "kind": "place",
        "stance": "stated",
    } | candidate
    extraction = Extraction(proposing(e1=fields), episodes=door.episodes)
    assert extraction.send(said(text)) == []
    return outcome(door)


def test_a_learned_fact_is_named(door: ApiTestClient) -> None:
    told = read(door, "I live in Lisbon", attribute="home.city", value="Lisbon")

    assert (told["status"], told["type"]) == ("read", "message.sent")
    assert told["facts"] == [{"key": "home.city", "value": "Lisbon", "denies": False}]
    assert told["review"] == told["refused"] == []


def test_a_refused_fact_is_named_with_its_reason(door: ApiTestClient) -> None:
    told = read(door, "Do I live in Lisbon?", attribute="home.city", value="Lisbon")

    assert told["facts"] == []
    assert told["refused"] == [{"attribute": "home.city", "value": "Lisbon", "reason": "question"}]


def test_a_fact_that_waits_for_review_is_named(door: ApiTestClient) -> None:
    told = read(door, "My colleague says I live in Lisbon", attribute="home.city", value="Lisbon")

    assert told["review"] == [{"attribute": "home.city", "value": "Lisbon", "reason": "hearsay"}]


def test_an_end_is_named(door: ApiTestClient) -> None:
    told = read(door, "I no longer live in Lisbon", attribute="home.city", value="Lisbon", stance="past")

    assert told["facts"] == [{"key": "home.city", "value": "Lisbon", "denies": True}]


def test_a_secret_is_not_repeated(door: ApiTestClient) -> None:
    told = read(door, "My password is hunter2", attribute="password", value="hunter2")

    assert told["refused"][0]["reason"] == "secret"
    assert "hunter2" not in json.dumps(told)


def test_actions_and_what_counts_them_are_named(door: ApiTestClient) -> None:
    door.episodes.record_event(recorded(a_setting("e1")), extracted="rules-1")

    told = outcome(door)

    assert told["facts"] == [{"key": "setting.theme", "value": "dark", "denies": False}]
    assert told["counted_by"]


@pytest.mark.parametrize(
    ("event", "extracted", "status"),
    [
        (said("I live in Lisbon"), None, "waiting"),
        (said("I live in Lisbon"), "rules-1", "rules_only"),
        (said("Thanks!"), "rules-1.prompt-3.gate-6", "recorded"),
        (an_event(type="note.saved", payload={"n": 1}), "rules-1.prompt-3.gate-6", "recorded"),
    ],
)
def test_an_event_without_facts_says_why(
    door: ApiTestClient, event: Any, extracted: str | None, status: str
) -> None:
    door.episodes.record_event(recorded(event), extracted=extracted)

    told = outcome(door)

    assert (told["status"], told["facts"], told["occurred_at"]) == (status, [], f"{NOON:%Y-%m-%dT%H:%M:%SZ}")


@pytest.mark.parametrize(
    ("zone", "notes"),
    [
        ("Mars/Olympus", 1),
        ("", 1),
        (5, 1),
        ("america/los_angeles", 0),
        ("UTC-8", 0),
        ("PST", 0),
        (None, 0),
    ],
)
def test_a_time_zone_that_nobody_knows_is_said(door: ApiTestClient, zone: object, notes: int) -> None:
    event = an_event(payload={"text": "I moved to Porto yesterday", "timezone": zone})
    door.episodes.record_event(recorded(event), extracted="rules-1")

    said_of_it = outcome(door)["notes"]

    assert [("timezone" in note, json.dumps(zone) in note) for note in said_of_it] == [(True, True)] * notes


def test_an_event_to_be_left_alone_says_so_alone(door: ApiTestClient) -> None:
    door.episodes.forget_event(recorded(said("I live in Lisbon")))

    told = outcome(door)

    assert (told["status"], told["extractor"], told["type"]) == ("left_out", FORGOTTEN, None)


@pytest.mark.parametrize("path", ["/v1/users/bob/events/e1", "/v1/users/ada/events/e2"])
def test_an_event_of_somebody_else_is_not_found(door: ApiTestClient, path: str) -> None:
    door.episodes.record_event(recorded(said("I live in Lisbon")), extracted=None)

    assert (door.get(path).status, door.get(path).code) == (404, "not_found")


def test_the_newest_answer_counts(door: ApiTestClient) -> None:
    door.episodes.record_event(recorded(said("I live in Lisbon")), extracted="rules-1.prompt-10.gate-6")
    for version, value in (("9", "Porto"), ("10", "Lisbon")):
        answer = EventAnswer(by="m", candidates=(a_candidate(value=value, quote="I live in Lisbon"),))
        door.episodes.save_answers(ADA, {"e1": [answer]}, prompt_version=version, model="m")

    assert [each["value"] for each in outcome(door)["facts"]] == ["Lisbon"]
