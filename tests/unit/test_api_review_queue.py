"""/v1/users/{user}/quarantine: review items wait for a person, whose decision outlives every replay."""

from datetime import timedelta
from typing import Any

import pytest

from membus.facts.candidates import ReviewItem, ReviewRequest, review_item_for
from membus.facts.observation import Trust
from membus.tenants.settings import ExtractionSettings, MemorySettings
from tests.factories import ADA, NOON, a_candidate, an_event, an_observation
from tests.support.api_client import ApiTestClient
from tests.support.extraction import Extraction, a_message, proposing

QUARANTINE = "/v1/users/ada/quarantine"
WORDS = "I live in Lisbon, see https://evil.example/x"
DOUBTFUL = a_candidate(quote=WORDS).model_dump()


def extraction(door: ApiTestClient) -> Extraction:
    return Extraction(
        proposing(e1=DOUBTFUL), episodes=door.episodes, facts=door.facts, review_queue=door.held_facts
    )


def doubt(door: ApiTestClient, *, wanted: str = "") -> None:
    """Deliver an event whose candidate the gate holds, to an extractor that is told what is wanted."""
    extractor = extraction(door)
    own = ExtractionSettings(instructions=wanted)
    extractor.settings.change("acme", MemorySettings(extraction=own))
    assert extractor.deliver(a_message(an_event(payload={"text": WORDS}))) == []


def waiting(door: ApiTestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = door.get(QUARANTINE).json["items"]
    return items


def test_review_item_has_its_reason_and_quote(door: ApiTestClient) -> None:
    doubt(door)

    (held,) = waiting(door)

    assert (held["key"], held["value"], held["reason"]) == ("home.city", "Lisbon", "url")
    assert (held["provenance"]["event_id"], held["provenance"]["quote"]) == ("e1", WORDS)
    assert door.get("/v1/users/ada/facts/home.city").status == 404


def test_copy_of_an_event_adds_no_review_item(door: ApiTestClient) -> None:
    for wanted in ("", "", "Keep plants."):
        doubt(door, wanted=wanted)

    assert len(waiting(door)) == 1


def test_approved_item_becomes_a_correction(door: ApiTestClient) -> None:
    doubt(door)
    (held,) = waiting(door)

    first = door.post(f"{QUARANTINE}/{held['quarantine_id']}:approve", {}, key=None)
    again = door.post(f"{QUARANTINE}/{held['quarantine_id']}:approve", {}, key=None)

    assert (first.status, first.json["value"], first.json["trust"]) == (200, "Lisbon", Trust.CORRECTED)
    assert (again.json, again.headers["etag"]) == (first.json, '"1"')
    assert first.json["valid_from"] == held["valid_from"]
    assert waiting(door) == []


def test_approval_is_an_event_that_a_rebuild_repeats(door: ApiTestClient) -> None:
    doubt(door)
    (held,) = waiting(door)
    approved = door.post(f"{QUARANTINE}/{held['quarantine_id']}:approve", {}, key=None).json
    recorded = door.episodes.contents[ADA, f"approved-{held['quarantine_id']}"]

    rebuilt = Extraction(proposing())
    rebuilt.deliver(a_message(recorded.event, taken_at=recorded.learned_at))

    assert rebuilt.facts.get_fact(ADA, "home.city").model_dump(mode="json") == approved


@pytest.mark.parametrize("passed", [timedelta(), timedelta(days=60)])
def test_approved_future_value_holds_from_the_approval_on(door: ApiTestClient, passed: timedelta) -> None:
    ahead = an_observation(valid_from=NOON + timedelta(days=30), learned_at=NOON)
    door.held_facts.add_items(
        ADA, [held := review_item_for(ReviewRequest(reason="not_yet", observation=ahead))]
    )

    first = door.post(f"{QUARANTINE}/{held.quarantine_id}:approve", {}, key=None)
    door.clock.advance(passed)
    again = door.post(f"{QUARANTINE}/{held.quarantine_id}:approve", {}, key=None)

    assert (first.status, first.json["value"]) == (200, "Lisbon")
    assert first.json["valid_from"] == first.json["learned_at"]
    assert again.json == first.json


def test_approved_value_ends_when_its_event_says(door: ApiTestClient) -> None:
    began, end = NOON - timedelta(days=900), NOON - timedelta(days=90)
    ended = an_observation(valid_from=began, valid_until=end, learned_at=NOON)
    door.held_facts.add_items(ADA, [held := review_item_for(ReviewRequest(reason="url", observation=ended))])

    approved = door.post(f"{QUARANTINE}/{held.quarantine_id}:approve", {}, key=None)

    assert approved.json["valid_until"] == "2025-12-01T12:00:00Z"


def test_rejected_item_does_not_return_on_a_replay(door: ApiTestClient) -> None:
    doubt(door)
    (held,) = waiting(door)

    assert door.post(f"{QUARANTINE}/{held['quarantine_id']}:reject", {}, key=None).status == 204
    doubt(door, wanted="Keep plants.")

    assert waiting(door) == []
    assert door.post(f"{QUARANTINE}/{held['quarantine_id']}:approve", {}, key=None).code == "decided"
    assert door.get("/v1/users/ada/facts/home.city").status == 404


def test_repeated_approval_completes_one_that_crashed(
    door: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt(door)
    (held,) = waiting(door)
    with monkeypatch.context() as patch:
        patch.setattr(door.facts, "commit", _torn)
        assert door.post(f"{QUARANTINE}/{held['quarantine_id']}:approve", {}, key=None).status == 500

    assert door.post(f"{QUARANTINE}/{held['quarantine_id']}:approve", {}, key=None).json["value"] == "Lisbon"


def test_review_queue_comes_in_pages_with_their_own_cursor(door: ApiTestClient) -> None:
    door.held_facts.add_items(ADA, [_held(number) for number in range(3)])

    first = door.get(QUARANTINE, "limit=2").json
    second = door.get(QUARANTINE, f"limit=2&cursor={first['next_cursor']}").json

    assert len({each["quarantine_id"] for each in (*first["items"], *second["items"])}) == 3
    assert second["next_cursor"] is None
    assert door.get("/v1/users/bob/quarantine", f"cursor={first['next_cursor']}").code == "bad_cursor"


def test_an_unknown_id_is_not_found(door: ApiTestClient) -> None:
    assert door.post(f"{QUARANTINE}/nothing:approve", {}, key=None).code == "not_found"
    assert door.post(f"{QUARANTINE}/nothing:reject", {}, key=None).code == "not_found"


def test_review_decision_needs_the_write_scope(door: ApiTestClient) -> None:
    door.scopes = ("memory:read",)

    assert door.post(f"{QUARANTINE}/x:approve", {}, key=None).code == "scope_missing"
    assert door.post(f"{QUARANTINE}/x:reject", {}, key=None).code == "scope_missing"


def _torn(*_: object) -> None:
    raise RuntimeError("the process is gone")


def _held(number: int) -> ReviewItem:
    return review_item_for(ReviewRequest(reason="url", observation=an_observation(event_id=f"e{number}")))
