"""Search through the public doors.

What was said and what was put is found, what was removed is not, by one's own.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, eventually, said, somebody

pytestmark = pytest.mark.stack


def search(client: Client, query: str, **asked: Any) -> dict[str, Any]:
    answer = client.post("/v1/search", {"query": query, **asked}, key=None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def results(client: Client, query: str, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = search(client, query, **asked)["results"]
    return found


def put(client: Client, *texts: str, **members: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/memories", {"items": [{"text": text, **members} for text in texts]})
    assert answer.status_code == 201, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_message_is_found_as_an_episode_and_as_a_fact_with_its_event(acme: Client) -> None:
    user = somebody()
    (event_id,) = acme.send(
        said(user, "I live in Lisbon and I love hiking in the mountains.", session_id="s1")
    )

    found = eventually(
        lambda: results(acme, "Where does the user go hiking?", user_id=user),
        lambda found: {"episode", "fact"} <= {each["kind"] for each in found},
    )

    assert {each["source"]["event_id"] for each in found} == {event_id}
    assert all(0 <= each["score"] <= 1 for each in found)
    assert [each["kind"] for each in results(acme, "hiking", user_id=user, kinds=["episode"])] == ["episode"]
    assert results(acme, "hiking", user_id=user, session_id="s2") == []


def test_long_document_is_found_by_a_passage_and_read_whole(acme: Client) -> None:
    user, chapter = somebody(), "The sea was calm and the crew was tired. " * 1_000
    text = f"{chapter}The treasure of Captain Flint lies below the lighthouse. {chapter}"
    (receipt,) = put(acme, text, user_id=user)

    (best,) = results(acme, "Where is the treasure?", user_id=user, mode="text")
    assert "below the lighthouse" in best["text"]
    assert len(best["text"]) < 2_000
    eventually(lambda: search(acme, "treasure", user_id=user), lambda answer: answer["pending"] == 0)
    assert acme.get(f"/v1/memories/{receipt['id']}").json()["text"] == text
    assert acme.http.delete(f"/v1/memories/{receipt['id']}").status_code == 204
    assert results(acme, "Where is the treasure?", user_id=user) == []


def test_memory_is_found_once_put_and_gone_once_deleted(acme: Client) -> None:
    user = somebody()
    (receipt,) = put(acme, "The parcel waits behind the blue door.", user_id=user)
    assert (receipt["merged"], receipt["vector_state"]) == (False, "ready")

    for mode in ("hybrid", "vector", "text"):
        assert [each["id"] for each in results(acme, "blue doors", user_id=user, mode=mode)] == [
            receipt["id"]
        ]
    assert (
        acme.get(f"/v1/memories/{receipt['id']}").json()["text"] == "The parcel waits behind the blue door."
    )

    assert acme.http.delete(f"/v1/memories/{receipt['id']}").status_code == 204
    for _ in range(10):
        assert results(acme, "blue doors", user_id=user) == []
    assert acme.get(f"/v1/memories/{receipt['id']}").status_code == 404


def test_a_tenant_finds_nothing_of_another(acme: Client, zeta: Client) -> None:
    user, word = somebody(), uuid4().hex
    (receipt,) = put(acme, f"The password of the old gate is {word}.", user_id=user)

    for mode in ("hybrid", "vector", "text"):
        assert results(zeta, f"password {word}", user_id=user, mode=mode) == []
        assert word not in str(results(zeta, f"password {word}", mode=mode))
    assert zeta.get(f"/v1/memories/{receipt['id']}").status_code == 404
    assert zeta.http.patch(f"/v1/memories/{receipt['id']}", json={"text": "mine"}).status_code == 404
    assert zeta.http.delete(f"/v1/memories/{receipt['id']}").status_code == 404
    (again,) = put(zeta, f"The password of the old gate is {word}.", user_id=user)
    assert again["merged"] is False


def test_user_ids_with_a_common_prefix_are_different_users(acme: Client) -> None:
    user = somebody()
    put(acme, "The cat is called Miez.", user_id=f"{user}0")

    assert results(acme, "cat", user_id=user) == []
    assert len(results(acme, "cat", user_id=f"{user}0")) == 1


def test_same_text_is_merged_and_a_similar_one_is_linked(acme: Client) -> None:
    user = somebody()
    first, second, third = put(
        acme,
        "Ada is allergic to nuts.",
        "Ada is allergic  to nuts.",
        "Ada is allergic to nuts!",
        user_id=user,
    )

    assert [each["merged"] for each in (first, second, third)] == [False, True, False]
    assert (second["id"], third["similar_to"]) == (first["id"], [first["id"]])
    assert len(results(acme, "allergies", user_id=user)) == 2


def test_changed_memory_is_found_by_its_new_text_and_checks_its_version(acme: Client) -> None:
    user = somebody()
    (receipt,) = put(acme, "The meeting is on Monday.", user_id=user, metadata={"topic": "work"})
    path = f"/v1/memories/{receipt['id']}"

    changed = acme.http.patch(path, json={"text": "The dinner is on Friday.", "expected_version": 1})
    stale = acme.http.patch(path, json={"text": "lost"}, headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.headers["etag"], changed.json()["metadata"]) == (
        200,
        '"2"',
        {"topic": "work"},
    )
    assert (stale.status_code, stale.json()["current_version"]) == (409, 2)
    assert [each["text"] for each in results(acme, "dinner", user_id=user, mode="text")] == [
        "The dinner is on Friday."
    ]
    assert results(acme, "meeting", user_id=user, mode="text") == []


def test_filters_and_listings_return_matching_memories(acme: Client) -> None:
    user = somebody()
    for number in range(5):
        put(
            acme,
            f"Note number {number} about gardens.",
            user_id=user,
            metadata={"n": number, "tag": "100%_sure"},
        )

    found = results(acme, "gardens", user_id=user, filters={"or": [{"n": {"gte": 3}}, {"n": 0}]}, k=10)
    assert sorted(each["metadata"]["n"] for each in found) == [0, 3, 4]
    assert len(results(acme, "gardens", user_id=user, filters={"tag": {"contains": "0%_s"}})) == 5
    assert results(acme, "gardens", user_id=user, filters={"tag": {"contains": "0_%s"}}) == []

    first = acme.get("/v1/memories", user_id=user, limit="3").json()
    second = acme.get("/v1/memories", user_id=user, limit="3", cursor=first["next_cursor"]).json()
    assert [each["metadata"]["n"] for each in first["items"] + second["items"]] == [4, 3, 2, 1, 0]
    assert second["next_cursor"] is None


def test_retracted_fact_is_not_found(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "I live in Quito."))
    eventually(lambda: results(acme, "home city", user_id=user, kinds=["fact"]), bool)

    assert acme.http.delete(f"/v1/users/{user}/facts/home.city").status_code in {200, 204}
    left = eventually(
        lambda: results(acme, "home city", user_id=user, kinds=["fact"]), lambda found: not found
    )

    assert left == []


def test_repeated_request_puts_one_memory(acme: Client) -> None:
    user, key = somebody(), uuid4().hex
    body = {"items": [{"text": "Water the plants on Sunday.", "user_id": user}]}

    first, second = acme.post("/v1/memories", body, key=key), acme.post("/v1/memories", body, key=key)
    other = acme.post("/v1/memories", {"items": [{"text": "something else"}]}, key=key)

    assert (first.status_code, first.json()) == (201, second.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_search_explains_itself_and_keeps_its_token_budget(acme: Client) -> None:
    user = somebody()
    put(acme, "The ferry to the island leaves at nine.", "The ferry back leaves at six.", user_id=user)

    found = results(acme, "ferry to the island", user_id=user, explain=True, max_tokens=12)

    assert [each["text"] for each in found] == ["The ferry to the island leaves at nine."]
    assert {"ferri", "island"} <= set(found[0]["explain"]["matched"])
    assert found[0]["explain"]["parts"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"query": " "}, 422),
        ({"query": "x", "k": 0}, 422),
        ({"query": "x", "filters": {"a": {"like": 1}}}, 422),
        ({"query": "x", "mode": "magic"}, 422),
        ({"query": "x", "kinds": ["dream"]}, 422),
        ({}, 422),
        ({"query": "x", "as_of": 5}, 422),
    ],
)
def test_invalid_search_is_refused(acme: Client, asked: dict[str, Any], status: int) -> None:
    answer = acme.post("/v1/search", asked, key=None)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_operator_backfills_missing_vectors(acme: Client, stack: Stack, aws: Callable[[str], Any]) -> None:
    put(acme, "The lamp in the hall is broken.", user_id=somebody())
    asked = json.dumps({"backfill": {"tenant": stack.tenant_id}})

    def fill_in() -> Any:
        return json.loads(
            aws("lambda").invoke(FunctionName="membus-local-index", Payload=asked)["Payload"].read()
        )

    assert eventually(fill_in, lambda told: told == {"found": 0}) == {"found": 0}
