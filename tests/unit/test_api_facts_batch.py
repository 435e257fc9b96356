"""POST /v1/users/{user}/facts:batch and racing writers: each fact on its own, in few commits, none twice."""

from datetime import timedelta
from typing import Any

import pytest

from functions.api.facts.corrections import (
    CHANGES_MAX,
    CORRECTION_RETRY,
    CorrectionResult,
    FactChange,
    correct_fact,
    correct_facts,
)
from membus.core.errors import ConflictError, UnavailableError
from membus.facts.corrections import Correction
from membus.facts.fact import Fact
from membus.facts.ports import FactCommit
from tests.factories import ADA, NOON, an_observation, learn
from tests.fakes.facts import InMemoryFacts
from tests.support.api_client import ApiTestClient, ApiTestResponse

BATCH = "/v1/users/ada/facts:batch"
TEA = {"key": "likes.tea", "value": "tea"}
PORTO = {"key": "home.city", "value": "Porto"}


class Contended(InMemoryFacts):
    """Somebody else commits first, as often as `rivals` says; `written` counts what got through."""

    def __init__(self, rivals: int, *, key: str = "work.role") -> None:
        super().__init__()
        self.rivals, self.written, self._key = rivals, 0, key

    def commit(self, change: FactCommit) -> None:
        if self.rivals:
            self.rivals -= 1
            rival = an_observation("nurse", key=self._key, event_id=f"rival{self.rivals}")
            learn(Yielding(self), ADA, rival)
        super().commit(change)
        self.written += 1


class Yielding(InMemoryFacts):
    """Writes into another store as if nobody contended for it."""

    def __init__(self, store: InMemoryFacts) -> None:
        super().__init__(store._episodes)
        self._profiles, self._facts, self._seen = store._profiles, store._facts, store._seen
        self._revisions, self._carried = store._revisions, store._carried


def post(door: ApiTestClient, *facts: Any, key: str | None = "k1") -> ApiTestResponse:
    return door.post(BATCH, {"facts": list(facts)}, key=key)


def changes(count: int) -> list[FactChange]:
    return [
        FactChange(Correction(key=f"likes.n{number}", value="x"), f"c{number}") for number in range(count)
    ]


def put(facts: InMemoryFacts, *, expected: int | None = None, pauses: list[float] | None = None) -> Fact:
    change = FactChange(Correction(key="home.city", value="Porto"), "c1", expected)
    return correct_fact(
        ADA, change, now=NOON, facts=facts, sleep=([] if pauses is None else pauses).append
    ).fact


def test_valid_facts_are_written_and_the_others_reported(door: ApiTestClient) -> None:
    learn(door.facts, ADA, an_observation("Lisbon"))

    answer = post(
        door,
        TEA,
        {"key": "Home", "value": "x"},
        PORTO | {"expected_version": 7},
        7,
        TEA | {"value": "more tea"},
        {"key": "name"},
        {"key": "name", "value": "Ada"},
    )

    assert answer.status == 200
    told = answer.json["results"]
    assert [(each["index"], each["key"], each.get("version", each.get("code"))) for each in told] == [
        (0, "likes.tea", 1),
        (1, "Home", "invalid"),
        (2, "home.city", "conflict"),
        (3, None, "invalid"),
        (4, "likes.tea", "duplicate_key"),
        (5, "name", "invalid"),
        (6, "name", 1),
    ]
    assert told[2]["current_version"] == 1
    assert {fact.key: fact.value for fact in door.facts.get_profile(ADA).facts} == {
        "home.city": "Lisbon",
        "likes.tea": "tea",
        "name": "Ada",
    }
    assert len(door.facts._episodes.contents) == 2


def test_repeated_batch_has_the_same_answer_and_one_effect(door: ApiTestClient) -> None:
    first = post(door, TEA, PORTO)

    assert post(door, TEA, PORTO).text == first.text
    assert len(door.facts.list_observations(ADA)) == len(door.facts._episodes.contents) == 2


def test_a_request_whose_record_is_lost_still_has_one_effect(door: ApiTestClient) -> None:
    first = post(door, TEA, PORTO)
    door.idempotency.records.clear()
    door.clock.advance(timedelta(days=2))

    assert post(door, TEA, PORTO).text == first.text
    assert len(door.facts.list_observations(ADA)) == len(door.facts._episodes.contents) == 2


def test_a_key_used_for_another_body_or_user_is_refused(door: ApiTestClient) -> None:
    post(door, TEA)

    answers = [post(door, PORTO), door.post("/v1/users/bob/facts:batch", {"facts": [TEA]}, key="k1")]

    assert [(each.status, each.code) for each in answers] == [(422, "idempotency_mismatch")] * 2
    assert len(door.facts._episodes.contents) == 1


def test_a_batch_needs_a_key(door: ApiTestClient) -> None:
    answer = post(door, TEA, key=None)

    assert (answer.status, answer.code) == (400, "idempotency_key_missing")
    assert door.facts._episodes.contents == {}


@pytest.mark.parametrize(
    "body", [{"facts": []}, {"facts": [TEA] * 101}, {}, {"facts": [TEA], "why": 1}, [TEA]]
)
def test_malformed_batch_is_rejected(door: ApiTestClient, body: Any) -> None:
    answer = door.post(BATCH, body)

    assert (answer.status, answer.code) == (422, "invalid")


def test_a_hundred_facts_are_written_in_as_few_commits_as_fit() -> None:
    facts, pauses = Contended(rivals=0), list[float]()

    outcomes = correct_facts(ADA, changes(100), now=NOON, facts=facts, sleep=pauses.append)

    assert [outcome.fact.version for outcome in outcomes if isinstance(outcome, CorrectionResult)] == [
        1
    ] * 100
    assert facts.written == -(-100 // CHANGES_MAX) == 6


def test_lost_race_is_retried_unseen() -> None:
    facts, pauses = Contended(rivals=CORRECTION_RETRY.tries - 1), list[float]()

    fact = put(facts, expected=0, pauses=pauses)

    assert (fact.value, facts.get_fact(ADA, "work.role").value) == ("Porto", "nurse")
    assert all(0 <= pause <= 0.02 * 2**tried for tried, pause in enumerate(pauses))
    assert len(pauses) == CORRECTION_RETRY.tries - 1
    assert len(facts._episodes.contents) == 1


def test_a_race_for_the_named_version_is_a_conflict_and_leaves_no_event() -> None:
    facts = Contended(rivals=1, key="home.city")

    with pytest.raises(ConflictError) as conflict:
        put(facts, expected=0)

    assert conflict.value.version == 1
    assert facts._episodes.contents == {}


def test_writer_that_loses_every_race_is_asked_to_retry_later() -> None:
    facts = Contended(rivals=99)

    with pytest.raises(UnavailableError) as busy:
        put(facts)

    assert busy.value.retry_after_seconds == 1
    assert facts._episodes.contents == {}


def test_the_same_request_twice_at_once_is_one_event() -> None:
    facts = Contended(rivals=0)
    first = put(facts)

    assert put(facts) == first
    assert (facts.written, len(facts.list_observations(ADA))) == (1, 1)
