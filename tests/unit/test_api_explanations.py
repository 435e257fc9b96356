"""`?explain=true`: the event, the words, the reader, the cost, what was replaced and what contradicts."""

from datetime import timedelta
from typing import Any

import pytest

from functions.api.facts.explanation import build_explanation
from membus.core.event import Event
from membus.core.tokens import TokenUsage
from membus.facts.fact import fold
from membus.facts.observation import Trust
from membus.llm.ports import StructuredAnswer
from tests.factories import NOON, a_setting, an_observation, said
from tests.fakes.model import ScriptedModel
from tests.support.api_client import ApiTestClient
from tests.support.extraction import Extraction, observant

CITY = "/v1/users/ada/facts/home.city"
USED = TokenUsage(input=100, cache_read=20, output=30, dollars=0.006)


class Priced(ScriptedModel):
    """A model whose every answer takes the same."""

    def answer(self, *args: Any, **fields: Any) -> StructuredAnswer[Any]:
        answer: StructuredAnswer[Any] = super().answer(*args, **fields)
        return StructuredAnswer(answer.value, "claude-priced", USED)


def learn(door: ApiTestClient, *events: Event) -> None:
    reader = observant()
    model = Priced(lambda prompt: reader.generate_reply(prompt, max_tokens=1, timeout_seconds=1).text)
    assert Extraction(model, episodes=door.episodes, facts=door.facts).send(*events) == []


def explained(door: ApiTestClient, path: str = CITY) -> dict[str, Any]:
    found: dict[str, Any] = door.get(path, "explain=true").json["explanation"]
    return found


def test_explanation_names_event_quote_channel_and_reader(door: ApiTestClient) -> None:
    learn(door, said("I live in Lisbon", session_id="s1", agent_id="guide", origin="api"))

    why = explained(door)

    assert why["event"] == {
        "event_id": "e1",
        "type": "message.sent",
        "occurred_at": "2026-03-01T12:00:00Z",
        "learned_at": "2026-03-01T12:00:01Z",
        "agent_id": "guide",
        "session_id": "s1",
    }
    assert (why["quote"], why["channel"], why["read_by"]) == ("I live in Lisbon", "api", "model")
    assert (why["model"], why["prompt_version"], why["rule"]) == ("claude-priced", "3", None)
    assert (why["replaced"], why["conflicts"]) == ([], [])


def test_explanation_has_the_events_share_of_the_cost(door: ApiTestClient) -> None:
    learn(door, said("I live in Lisbon"), said("I like tea", "e2"), said("I like rum", "e3"))

    assert explained(door)["cost"] == {
        "model": "claude-priced",
        "prompt_version": "3",
        "shared_by": 3,
        "questions": 1,
        "tokens_in": 40.0,
        "tokens_out": 10.0,
        "dollars": 0.002,
    }


def test_cost_of_a_long_event_is_that_of_all_its_questions(door: ApiTestClient) -> None:
    learn(door, said(f"I live in Lisbon. {'Nothing to see here. ' * 5_000}"))

    cost = explained(door)["cost"]

    assert cost["questions"] > 1
    assert cost["dollars"] == pytest.approx(0.006 * cost["questions"])


def test_fact_of_a_rule_or_a_person_has_no_cost(door: ApiTestClient) -> None:
    learn(door, a_setting())
    door.put(CITY, {"value": "Porto"})

    by_rule, by_hand = explained(door, "/v1/users/ada/facts/setting.theme"), explained(door)

    assert (by_rule["read_by"], by_rule["rule"], by_rule["cost"]) == ("rule", "setting-changed", None)
    assert (by_hand["read_by"], by_hand["rule"], by_hand["cost"]) == ("person", "correction", None)


def test_former_value_is_replaced_and_less_trusted_one_overruled(door: ApiTestClient) -> None:
    learn(door, said("I live in Rome", "old", occurred_at=NOON - timedelta(days=9)))
    door.put(CITY, {"value": "Lisbon", "valid_from": NOON.isoformat(), "pinned": True})
    door.clock.advance(timedelta(days=1))
    learn(door, said("I live in Oslo", "later", occurred_at=NOON + timedelta(days=1)))

    why = explained(door)

    assert [each["value"] for each in why["replaced"]] == ["Rome"]
    assert [(each["value"], each["provenance"]["event_id"]) for each in why["overruled"]] == [
        ("Oslo", "later")
    ]
    assert why["conflicts"] == door.get(CITY).json["conflicts"] == []


def test_value_replaced_by_an_older_one_is_no_conflict() -> None:
    rome = an_observation("Rome", event_id="rome")
    said_at = NOON + timedelta(days=2)
    lisbon = an_observation(
        "Lisbon", event_id="lisbon", valid_from=NOON - timedelta(days=900), said_at=said_at
    )
    fact = fold([rome, lisbon])
    assert fact
    assert (fact.value, fact.replaced, fact.conflicts) == ("Lisbon", "Rome", ())

    why = build_explanation(fact, [rome, lisbon], None)

    assert ([each.value for each in why.replaced], why.conflicts, why.overruled) == (["Rome"], (), ())


def test_retracted_value_is_replaced_by_one_of_an_earlier_time() -> None:
    lisbon = an_observation("Lisbon", event_id="lisbon")
    gone = an_observation(None, event_id="gone", trust=Trust.CORRECTED, valid_from=NOON + timedelta(days=1))
    by_hand = {
        "trust": Trust.CORRECTED,
        "valid_from": NOON - timedelta(days=5),
        "learned_at": NOON + timedelta(days=2),
    }
    seen = [lisbon, gone, an_observation("Rome", event_id="rome", **by_hand)]
    fact = fold(seen)
    assert fact
    assert fact.value == "Rome"

    why = build_explanation(fact, seen, None)

    assert ([each.value for each in why.replaced], why.conflicts, why.overruled) == (["Lisbon", None], (), ())


def test_conflicts_are_those_that_the_fact_names(door: ApiTestClient) -> None:
    learn(door, said("I live in Rome", "e1", agent_id="chat"))
    learn(door, said("I live in Lisbon", "e2", agent_id="mail", occurred_at=NOON + timedelta(hours=1)))

    why, fact = explained(door), door.get(CITY).json

    assert [each["event_id"] for each in fact["conflicts"]] == ["e1"]
    assert [each["provenance"]["event_id"] for each in why["conflicts"]] == ["e1"]
    assert (why["replaced"], why["overruled"]) == ([], [])


def test_repeated_value_is_no_conflict(door: ApiTestClient) -> None:
    learn(
        door, said("I live in Lisbon"), said("I live in lisbon", "e2", occurred_at=NOON + timedelta(days=1))
    )

    assert (explained(door)["conflicts"], explained(door)["event"]["event_id"]) == ([], "e1")


def test_archived_event_is_named_in_the_explanation(door: ApiTestClient) -> None:
    learn(door, said("I live in Lisbon"))
    door.episodes.contents.clear()

    why = explained(door)

    assert (why["event"]["event_id"], why["event"]["occurred_at"]) == ("e1", None)
    assert why["quote"] == "I live in Lisbon"


def test_fact_without_explain_has_no_explanation(door: ApiTestClient) -> None:
    learn(door, said("I live in Lisbon"))

    assert "explanation" not in door.get(CITY).json
    assert door.get(CITY, "explain=maybe").status == 422
    assert door.get("/v1/users/ada/facts/likes.tea", "explain=true").status == 404
