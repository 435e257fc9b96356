"""Chat through the public door.

The answer uses what events taught, once per request, and says what it sent.
"""

from uuid import uuid4

import httpx2
import pytest

from functions.chat.context import SECTION_TOKENS
from localstack.home import Stack
from tests.e2e.client import Client, eventually, said, somebody

pytestmark = pytest.mark.stack


def conversation(client: Client, user: str) -> str:
    answer = client.post("/v1/conversations", {"user_id": user})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["conversation_id"])


def test_an_event_changes_an_answer(acme: Client) -> None:
    user = somebody()
    before = acme.post(
        f"/v1/conversations/{conversation(acme, user)}/messages",
        {"content": "Where do I live?", "author": user},
    )
    acme.send(said(user, "I live in Lisbon."))
    eventually(lambda: acme.facts(user), bool)

    after = acme.post(
        f"/v1/conversations/{conversation(acme, user)}/messages",
        {"content": "Where do I live?", "author": user},
    )

    assert "Lisbon" not in before.json()["message"]["content"]
    assert "Lisbon" in after.json()["message"]["content"]
    assert after.json()["stop_reason"] == "end_turn"
    assert after.json()["usage"]["output"] > 0


def test_context_is_exactly_the_prompt_that_would_be_sent(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "I live in Lisbon."))
    eventually(lambda: acme.facts(user), bool)
    talk = conversation(acme, user)
    acme.post(f"/v1/conversations/{talk}/messages", {"content": "Good morning!", "author": user})

    context = acme.get(f"/v1/conversations/{talk}/context", message="Where do I live?").json()

    assert [section["name"] for section in context["sections"]] == list(SECTION_TOKENS)
    assert (
        sum(section["tokens"] for section in context["sections"])
        == context["total_tokens"]
        <= context["budget"]
    )
    assert any("home.city: Lisbon" in line for line in context["facts"])
    assert "home.city: Lisbon" in context["prompt"]["system"][1]["text"]
    assert [said["role"] for said in context["prompt"]["messages"]] == ["user", "assistant", "user"]
    assert next(message["content"] for message in context["window"]) == "Good morning!"
    assert context["summary"] is None


def test_a_repeated_request_is_one_turn(acme: Client) -> None:
    user = somebody()
    talk, key = conversation(acme, user), uuid4().hex
    body = {"content": "Hello there!", "author": user}

    first = acme.post(f"/v1/conversations/{talk}/messages", body, key=key)
    again = acme.post(f"/v1/conversations/{talk}/messages", body, key=key)
    other = acme.post(f"/v1/conversations/{talk}/messages", body | {"content": "Bye!"}, key=key)

    assert (first.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    messages = acme.get(f"/v1/conversations/{talk}/messages").json()["items"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert acme.get(f"/v1/conversations/{talk}").json()["message_count"] == 2


def test_message_in_chat_becomes_a_fact(acme: Client) -> None:
    user = somebody()
    talk = conversation(acme, user)
    acme.post(f"/v1/conversations/{talk}/messages", {"content": "My name is Grace.", "author": user})

    facts = eventually(lambda: acme.facts(user), bool)

    assert facts == {"name": "Grace"}
    assert acme.get(f"/v1/users/{user}/facts/name").json()["provenance"]["event_type"] == "turn.recorded"


def test_one_idempotency_key_creates_one_conversation(acme: Client) -> None:
    user, key = somebody(), uuid4().hex

    first = acme.post("/v1/conversations", {"user_id": user}, key=key)
    again = acme.post("/v1/conversations", {"user_id": user}, key=key)
    other = acme.post("/v1/conversations", {"user_id": user, "title": "Another"}, key=key)

    assert first.json()["conversation_id"] == again.json()["conversation_id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_only_members_write_in_a_conversation(acme: Client) -> None:
    talk = conversation(acme, somebody())

    answer = acme.post(f"/v1/conversations/{talk}/messages", {"content": "hello", "author": somebody()})

    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")


def test_failing_model_costs_one_answer_and_no_data(acme: Client) -> None:
    user = somebody()
    talk = conversation(acme, user)

    answer = acme.post(
        f"/v1/conversations/{talk}/messages", {"content": "[[fault:overloaded]] hello", "author": user}
    )

    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert acme.get(f"/v1/conversations/{talk}/messages").json()["items"] == []
    assert acme.facts(user) == {}


def test_a_late_answer_is_asked_for_once_more_and_appears_at_its_location(acme: Client, stack: Stack) -> None:
    talk, label = conversation(acme, user := somebody()), uuid4().hex[:8]
    asked = {"content": f"[[fault:slow=32*1#{label}]] Good evening!", "author": user}

    answer = acme.post(f"/v1/conversations/{talk}/messages", asked, key=(key := uuid4().hex))

    assert (answer.status_code, answer.json()["message"]["status"]) == (202, "pending")
    where = answer.headers["Location"]
    stored = eventually(lambda: acme.get(where).json(), lambda message: message["status"] != "pending")
    assert stored["status"] == "complete"
    assert stored["message_id"] == answer.json()["message"]["message_id"]
    assert [each["message_id"] for each in acme.get(f"/v1/conversations/{talk}/messages").json()["items"]][
        1
    ] in where
    assert acme.post(f"/v1/conversations/{talk}/messages", asked, key=key).json()["message"] == stored
    calls = httpx2.get(f"{stack.model_url}/_calls", params={"match": label}).json()["calls"]
    answers = [
        call for call in calls if call["path"] == "/v1/messages" and "output_config" not in call["body"]
    ]
    assert len(answers) == 2, "the call that was given up at the deadline, and one behind the scenes"
