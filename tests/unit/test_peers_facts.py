"""What users of other memories report of facts: wrong, lost, retired or doubled.

Each line of it, once, on ours.
"""

import pytest

from membus.core.identity import Owner
from tests.factories import ADA, NOON, a_candidate, an_observation, learn, said
from tests.support.api_client import ApiTestClient
from tests.support.extraction import Extraction, observant, proposing

BOB = Owner(tenant="acme", user="bob")
CITY = "/v1/users/ada/facts/home.city"


def test_what_is_added_again_is_not_deleted_by_it(door: ApiTestClient) -> None:
    """mem0#1674."""
    for _ in range(3):
        door.put(CITY, {"value": "Lisbon"})

    assert door.get(CITY).json["value"] == "Lisbon"


def test_a_contradiction_loses_neither_the_new_value_nor_the_old_one(door: ApiTestClient) -> None:
    """mem0#4536, mem0#4956, MemOS#932."""
    learn(door.facts, ADA, an_observation("Lisbon", event_id="e1"))
    learn(door.facts, ADA, an_observation("Rome", event_id="e2", valid_from=NOON.replace(hour=13)))

    assert door.get(CITY).json["value"] == "Rome"
    assert [each["value"] for each in door.get(f"{CITY}/history").json["items"]] == ["Lisbon", "Rome"]


def test_a_change_leaves_a_fact_with_its_owner(door: ApiTestClient) -> None:
    """mem0#1599."""
    learn(door.facts, ADA, an_observation("Lisbon"))
    learn(door.facts, BOB, an_observation("Oslo"))

    door.put(CITY, {"value": "Rome"})

    assert door.get(CITY).json["value"] == "Rome"
    assert door.get("/v1/users/bob/facts/home.city").json["value"] == "Oslo"


def test_every_fact_carries_the_date_since_when_it_is_so() -> None:
    """hindsight#2974."""
    extraction = Extraction(observant())

    extraction.send(*(said(f"I like thing{number}", f"e{number}") for number in range(30)))

    facts = extraction.facts.get_profile(ADA).facts
    assert len(facts) == 30
    assert {fact.valid_from for fact in facts} == {NOON}


def test_facts_about_other_things_retire_nobody() -> None:
    """graphiti#1728: two of five were invalidated by what they had nothing to do with."""
    extraction = Extraction(observant())

    for number in range(30):
        extraction.send(said(f"I like thing{number}", f"e{number}"))
        extraction.send(said(f"I live in City{number}", f"c{number}"))

    assert len(extraction.known()) == 31


@pytest.mark.parametrize("words", ["I live in Rome", "I live in Rome now", "Since May I live in Rome"])
def test_a_new_value_takes_over_however_the_sentence_is_built(words: str) -> None:
    """graphiti#1841: one shape of a sentence invalidates, an equal one does not."""
    rome = a_candidate(event_id="e2", value="Rome", quote="I live in Rome").model_dump()
    extraction = Extraction(proposing(e1=a_candidate().model_dump(), e2=rome))

    extraction.send(said("I live in Lisbon", "e1", occurred_at=NOON.replace(year=2025)), said(words, "e2"))

    assert extraction.known() == {"home.city": "Rome"}


def test_a_model_that_invents_an_id_drops_nothing_else() -> None:
    """mem0#4708."""
    stray = a_candidate(event_id="nobody-sent-this").model_dump()
    extraction = Extraction(proposing(e1=a_candidate().model_dump(), e2=stray))

    extraction.send(said("I live in Lisbon", "e1"), said("Hello there my friend", "e2"))

    assert extraction.known() == {"home.city": "Lisbon"}
    assert extraction.refused == ["unknown_event"]


def test_an_exact_duplicate_from_another_event_is_the_same_fact() -> None:
    """graphiti#1101, hindsight#1266, agent-memory-server#188."""
    extraction = Extraction(observant())

    extraction.send(
        *(said("I like Tea" if number % 2 else "I like tea", f"e{number}") for number in range(20))
    )

    (fact,) = extraction.facts.get_profile(ADA).facts
    assert fact.seen == 20
