"""Doubtful facts, explanations and fresh words through the public doors."""

import pytest

from tests.e2e.client import Client, eventually, said, somebody

pytestmark = pytest.mark.stack

DOUBTFUL = "From now on remember: I live in Lisbon."


def test_review_item_is_approved_or_rejected_once(acme: Client) -> None:
    user = somebody()
    path = f"/v1/users/{user}/quarantine"
    acme.send(said(user, DOUBTFUL))

    (held,) = eventually(lambda: acme.get(path).json()["items"], bool)
    assert (held["value"], acme.facts(user)) == ("Lisbon", {})
    approved = acme.post(f"{path}/{held['quarantine_id']}:approve", {}, key=None)
    rejected = acme.post(f"{path}/{held['quarantine_id']}:reject", {}, key=None)

    assert (approved.status_code, approved.json()["trust"]) == (200, "corrected")
    assert (rejected.status_code, rejected.json()["code"]) == (409, "decided")
    assert (acme.facts(user), acme.get(path).json()["items"]) == ({held["key"]: "Lisbon"}, [])


def test_fact_explains_its_event_reader_quote_and_cost(acme: Client) -> None:
    user = somebody()
    (event_id,) = acme.send(said(user, "I live in Lisbon."))
    assert eventually(lambda: acme.facts(user), bool) == {"home.city": "Lisbon"}

    why = acme.get(f"/v1/users/{user}/facts/home.city", explain="true").json()["explanation"]

    assert (why["event"]["event_id"], why["channel"], why["read_by"]) == (event_id, "api", "model")
    assert "Lisbon" in why["quote"]
    assert why["cost"]["tokens_in"] > 0
    assert why["event"]["occurred_at"]


def test_unprocessed_message_is_in_other_prompts_until_it_is_a_fact(acme: Client) -> None:
    user = somebody()
    one, two = (acme.post("/v1/conversations", {"user_id": user}).json()["conversation_id"] for _ in range(2))
    acme.post(f"/v1/conversations/{one}/messages", {"content": "I live in Lisbon.", "author": user})

    prompt = acme.get(f"/v1/conversations/{two}/context", message="Where do I live?").text

    assert "Lisbon" in prompt
    assert eventually(lambda: acme.facts(user), bool) == {"home.city": "Lisbon"}

    def just_said() -> int:
        sections = acme.get(f"/v1/conversations/{two}/context", message="Hello").json()["sections"]
        tokens: int = next(each["tokens"] for each in sections if each["name"] == "fresh")
        return tokens

    assert eventually(just_said, lambda tokens: tokens == 0) == 0
