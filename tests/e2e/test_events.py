"""Events through the public doors: accepted, learned from, duplicated, late, and straight on the bus."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, eventually, now, said, server_error, somebody

pytestmark = pytest.mark.stack


def test_message_becomes_a_fact_that_names_its_evidence(acme: Client) -> None:
    user = somebody()
    (event_id,) = acme.send(said(user, "I live in Lisbon and I love hiking."))

    eventually(lambda: acme.facts(user), lambda facts: "home.city" in facts)
    fact = acme.get(f"/v1/users/{user}/facts/home.city").json()

    assert fact["value"] == "Lisbon"
    assert fact["provenance"]["event_id"] == event_id
    assert "I live in Lisbon" in fact["provenance"]["quote"]


def test_event_is_in_the_next_prompt_and_becomes_a_fact(acme: Client) -> None:
    user, words = somebody(), "I live in Lisbon and I love hiking."
    talk = acme.post("/v1/conversations", {"user_id": user}).json()["conversation_id"]
    acme.send(said(user, words))

    def shown() -> str:
        return json.dumps(acme.get(f"/v1/conversations/{talk}/context", message="And now?").json()["prompt"])

    assert "Lisbon" in shown(), "fresh, or learned already"
    eventually(lambda: acme.facts(user), lambda facts: "home.city" in facts)
    settled = eventually(shown, lambda prompt: words not in prompt)
    assert "home.city: Lisbon" in settled


def test_a_setting_and_three_server_errors_become_facts_without_a_model(acme: Client) -> None:
    user, start = somebody(), now()
    acme.send(
        {
            "user_id": user,
            "type": "setting.changed",
            "payload": {"name": "theme", "from": "light", "to": "dark"},
        },
        *(server_error(user, start + timedelta(minutes=minute)) for minute in range(3)),
    )

    facts = eventually(lambda: acme.facts(user), lambda facts: len(facts) > 1)

    assert facts == {"setting.theme": "dark", "frustrated_by.error-500": "HTTP 500 on /checkout, 3 times"}
    fact = acme.get(f"/v1/users/{user}/facts/setting.theme").json()
    assert fact["provenance"]["model"] is None
    assert fact["provenance"]["rule"] == "setting-changed"


def test_newer_value_replaces_the_older_one_in_any_order(acme: Client) -> None:
    user, moved = somebody(), now()
    later, earlier = moved.isoformat(), (moved - timedelta(days=400)).isoformat()
    acme.send(said(user, "I live in Porto now.", occurred_at=later))
    eventually(lambda: acme.facts(user), bool)
    acme.send(said(user, "I live in Lisbon.", occurred_at=earlier))

    history = eventually(
        lambda: acme.get(f"/v1/users/{user}/facts/home.city/history").json()["items"],
        lambda items: len(items) > 1,
    )

    assert {version["value"]: version["current"] for version in history} == {"Porto": True, "Lisbon": False}
    assert acme.facts(user) == {"home.city": "Porto"}
    then = acme.get(f"/v1/users/{user}/profile", as_of=(moved - timedelta(days=1)).isoformat()).json()
    assert [fact["value"] for fact in then["facts"]] == ["Lisbon"]


def test_five_copies_of_an_event_are_one_event(acme: Client) -> None:
    user, event_id = somebody(), uuid4().hex
    for city in ("Lisbon", "Paris", "Rome", "Oslo", "Bern"):
        acme.send(said(user, f"I live in {city}.", event_id=event_id))
    marker = somebody("marker")
    acme.send(said(marker, "I live in Quito."))

    eventually(lambda: acme.facts(marker), bool)
    eventually(lambda: acme.facts(user), bool)

    history = acme.get(f"/v1/users/{user}/facts/home.city/history").json()["items"]
    assert len(history) == 1


def test_invalid_event_does_not_refuse_its_batch(acme: Client) -> None:
    good, bad = said(somebody(), "hello"), said("no#body", "hello")

    answer = acme.post("/v1/events", {"events": [good, bad, {"type": "x"}, good | {"type": "Shouting"}]})

    assert answer.status_code == 202
    assert [each["index"] for each in answer.json()["accepted"]] == [0]
    assert [(each["index"], each["code"]) for each in answer.json()["rejected"]] == [
        (1, "invalid"),
        (2, "invalid"),
        (3, "invalid"),
    ]


def test_producer_in_the_account_may_use_the_bus_directly(
    acme: Client, zeta: Client, stack: Stack, aws: Callable[[str], Any]
) -> None:
    user = somebody()
    detail = {
        "schema": 1,
        "event_id": uuid4().hex,
        "tenant_id": stack.tenant_id,
        "user_id": user,
        "type": "message.sent",
        "occurred_at": now().isoformat(),
        "payload": {"text": "My name is Grace."},
    }
    entry = {"Source": "shop", "DetailType": "message.sent", "Detail": json.dumps(detail)}
    aws("events").put_events(Entries=[entry | {"EventBusName": stack.bus_name}])

    demo = Client(stack.api_url, stack.api_key)
    facts = eventually(lambda: demo.facts(user), bool)
    demo.close()

    assert facts == {"name": "Grace"}
    assert acme.facts(user) == zeta.facts(user) == {}


def test_event_with_remember_false_leaves_nothing(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "I live in Vienna.", remember=False), said(user, "I love chess."))

    facts = eventually(lambda: acme.facts(user), bool)

    assert facts == {"likes.chess": "chess"}
