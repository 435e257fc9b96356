"""`/v1/memories`: documents are put once, merged, changed by version, and stored without index or model."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOON
from tests.support.api_client import ApiTestClient, ApiTestResponse

NUTS = "Ada is allergic to nuts."


@pytest.fixture
def door() -> ApiTestClient:
    return ApiTestClient()


def put(door: ApiTestClient, *texts: str, key: str = "k", **members: Any) -> list[dict[str, Any]]:
    answer = door.post(
        "/v1/memories", {"items": [{"text": text, "user_id": "ada", **members} for text in texts]}, key=key
    )
    assert answer.status == 201, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def found(door: ApiTestClient, query: str, **asked: Any) -> list[dict[str, Any]]:
    answer = door.post("/v1/search", {"query": query, "user_id": "ada", **asked}, key=None)
    assert answer.status == 200, answer.text
    results: list[dict[str, Any]] = answer.json["results"]
    return results


def path(receipt: dict[str, Any]) -> str:
    return f"/v1/memories/{receipt['id']}"


def test_document_is_readable_and_searchable_when_put_returns(door: ApiTestClient) -> None:
    (receipt,) = put(door, NUTS, metadata={"topic": "health"})

    assert receipt == {
        "index": 0,
        "id": receipt["id"],
        "version": 1,
        "merged": False,
        "similar_to": [],
        "vector_state": "ready",
    }
    answer = door.get(path(receipt))
    assert (answer.headers["etag"], answer.json["text"], answer.json["metadata"]) == (
        '"1"',
        NUTS,
        {"topic": "health"},
    )
    assert [each["id"] for each in found(door, "allergies")] == [receipt["id"]]


@pytest.mark.parametrize("again", [NUTS, "Ada is  allergic\tto nuts."])
def test_repeated_text_is_the_same_document(door: ApiTestClient, again: str) -> None:
    (first,) = put(door, NUTS)
    (second,) = put(door, again, key="k2", metadata={"seen": 2})

    assert (second["id"], second["merged"], second["version"]) == (first["id"], True, 2)
    assert door.get(path(first)).json["metadata"] == {"seen": 2}
    assert len(found(door, "nuts")) == 1


def test_identical_document_writes_nothing(door: ApiTestClient) -> None:
    (first,) = put(door, NUTS)
    (second,) = put(door, NUTS, key="k2")

    assert (second["version"], second["merged"]) == (first["version"], True)


def test_batch_merges_repetitions_within_itself(door: ApiTestClient) -> None:
    receipts = put(door, NUTS, "It rains in Porto.", NUTS)

    assert [each["merged"] for each in receipts] == [False, False, True]
    assert receipts[2]["id"] == receipts[0]["id"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The train leaves at 3.", "The train leaves at 4."),
        ("Ada likes tea.", "Ada likes no tea."),
        ("Alice owes Bob 50 euros.", "Bob owes Alice 50 euros."),
        ("The left knee hurts.", "The right knee hurts."),
        ("Set DB_URL first.", "Set db_url first."),
        ("Ada is allergic to nuts.", "Ada is allergic to nuts!"),
        ("The price is 1,000.", "The price is 1.000."),
        ("Status: ✅", "Status: ❌"),
    ],
)
def test_texts_that_differ_are_separate_documents(door: ApiTestClient, one: str, other: str) -> None:
    first, second = put(door, one, other)

    assert (first["merged"], second["merged"]) == (False, False)
    assert [door.get(path(each)).json["text"] for each in (first, second)] == [one, other]


def test_a_text_that_sounds_like_another_names_it(door: ApiTestClient) -> None:
    (first,) = put(door, "Ada is allergic to nuts.")
    (second,) = put(door, "Ada is allergic to nuts!", key="k2")

    assert (first["similar_to"], second["similar_to"]) == ([], [first["id"]])


def test_text_in_two_unicode_forms_is_one_document(door: ApiTestClient) -> None:
    (first,) = put(door, "Zu\u0308rich is lovely.")
    (second,) = put(door, "Z\u00fcrich is lovely.", key="k2")

    assert (second["merged"], second["id"]) == (True, first["id"])


@pytest.mark.parametrize("owner", [{"user_id": "bob"}, {"user_id": None}, {"agent_id": "support"}])
def test_same_text_of_another_owner_is_another_document(door: ApiTestClient, owner: dict[str, Any]) -> None:
    (first,) = put(door, NUTS)
    (second,) = put(door, NUTS, key="k2", **owner)

    assert second["id"] != first["id"]
    assert second["merged"] is False


def test_changed_document_leaves_its_old_text_for_a_new_one(door: ApiTestClient) -> None:
    (first,) = put(door, NUTS)
    door.patch(path(first), {"text": "Ada plays chess on Sundays."})
    (second,) = put(door, NUTS, key="k2")

    assert (second["merged"], second["id"] == first["id"]) == (False, False)
    assert door.get(path(first)).json["text"] == "Ada plays chess on Sundays."


def test_deleted_document_is_gone_at_once_and_can_be_put_again(door: ApiTestClient) -> None:
    (first,) = put(door, NUTS)

    assert door.delete(path(first)).status == 204
    assert (door.get(path(first)).status, door.delete(path(first)).status, found(door, "nuts")) == (
        404,
        404,
        [],
    )
    (second,) = put(door, NUTS, key="k2")
    assert (second["merged"], door.get(path(second)).json["text"]) == (False, NUTS)
    assert len(found(door, "nuts")) == 1


def test_stale_version_changes_nothing_and_returns_the_current_one(door: ApiTestClient) -> None:
    (first,) = put(door, NUTS)
    door.patch(path(first), {"metadata": {"n": 1}})
    attempts: list[ApiTestResponse] = [
        door.patch(path(first), {"text": "lost", "expected_version": 1}),
        door.patch(path(first), {"text": "lost"}, **{"if-match": '"1"'}),
        door.delete(path(first), **{"if-match": '"1"'}),
    ]

    assert [(each.status, each.json["current_version"]) for each in attempts] == [(409, 2)] * 3
    assert door.get(path(first)).json["text"] == NUTS


def test_patch_changes_only_the_named_fields(door: ApiTestClient) -> None:
    (first,) = put(door, NUTS, metadata={"n": 1}, expires_at=(NOON + timedelta(days=1)).isoformat())

    changed = door.patch(path(first), {"expires_at": None}).json

    assert (changed["text"], changed["metadata"], changed["expires_at"], changed["version"]) == (
        NUTS,
        {"n": 1},
        None,
        2,
    )


def test_expired_document_is_neither_read_nor_found_nor_listed(door: ApiTestClient) -> None:
    (first,) = put(door, NUTS, expires_at=(NOON + timedelta(seconds=10)).isoformat())
    door.clock.advance(timedelta(seconds=9))
    assert (door.get(path(first)).status, len(found(door, "nuts"))) == (200, 1)

    door.clock.advance(timedelta(seconds=1))
    assert (door.get(path(first)).status, found(door, "nuts")) == (404, [])
    assert door.get("/v1/memories").json == {"items": [], "next_cursor": None}


def test_document_is_stored_and_pending_while_the_index_is_away(door: ApiTestClient) -> None:
    door.memories.away = True
    (receipt,) = put(door, NUTS)

    assert receipt["vector_state"] == "pending"
    assert door.get(path(receipt)).json["text"] == NUTS
    assert door.patch(path(receipt), {"metadata": {"n": 1}}).status == 200
    assert door.delete(path(receipt)).status == 204
    assert (door.get("/v1/memories").status, door.get("/v1/memories").code) == (503, "unavailable")


def test_document_is_found_by_words_without_the_embedding_model(door: ApiTestClient) -> None:
    door.embedder.away = True
    (receipt,) = put(door, NUTS)

    assert receipt["vector_state"] == "pending"
    answer = door.post("/v1/search", {"query": "nuts", "user_id": "ada"}, key=None).json
    assert ([each["id"] for each in answer["results"]], answer["degraded"]) == ([receipt["id"]], True)


def test_long_text_is_found_by_words_at_once_and_by_meaning_later(door: ApiTestClient) -> None:
    chapters = " ".join(
        f"Chapter {number}: the sea was calm and the crew was tired." for number in range(2_000)
    )
    text = f"{chapters} The treasure lies under the old lighthouse. {chapters}"

    (receipt,) = put(door, text)

    assert receipt["vector_state"] == "pending"
    assert door.get(path(receipt)).json["text"] == text
    (best,) = found(door, "lighthouse treasure", mode="text")
    assert "treasure lies under" in best["text"]
    assert len(best["text"]) < 1_000


def test_page_of_documents_fits_the_answer_of_lambda(door: ApiTestClient) -> None:
    for number in range(2):
        put(door, f"{number} " + "语言 " * 300_000, key=f"k{number}")
    sizes: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = door.get("/v1/memories", f"user_id=ada&cursor={cursor}" if cursor else "user_id=ada").json
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]

    assert sizes == [1, 1]


def test_cursor_is_valid_for_its_own_listing(door: ApiTestClient) -> None:
    put(door, "one tea", "two coffees", "three waters")
    cursor = door.get("/v1/memories", "user_id=ada&limit=2").json["next_cursor"]

    assert len(door.get("/v1/memories", f"user_id=ada&limit=2&cursor={cursor}").json["items"]) == 1
    for other in ("user_id=bob", "agent_id=x", 'filters={"a":1}'):
        refused = door.get("/v1/memories", f"{other}&cursor={cursor}")
        assert (refused.status, refused.code) == (400, "bad_cursor")


@pytest.mark.parametrize(
    "item",
    [
        {"text": " "},
        {"text": "\u200b"},
        {"text": "x" * 1_000_001},
        {"text": "x", "user_id": "a#b"},
        {"text": "x", "id": "mine"},
        {"text": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"text": "x", "expires_at": 5},
        {},
    ],
)
def test_invalid_item_is_rejected_before_anything_is_written(
    door: ApiTestClient, item: dict[str, Any]
) -> None:
    answer = door.post("/v1/memories", {"items": [{"text": "good"}, item]})

    assert answer.status == 422
    assert door.get("/v1/memories").json["items"] == []


def test_metadata_has_a_limit(door: ApiTestClient) -> None:
    answer = door.post("/v1/memories", {"items": [{"text": "x", "metadata": {"a": "y" * 16_000}}]})

    assert (answer.status, answer.code) == (413, "payload_too_large")


def test_put_requires_an_idempotency_key(door: ApiTestClient) -> None:
    answer = door.post("/v1/memories", {"items": [{"text": "x"}]}, key=None)

    assert (answer.status, answer.code) == (400, "idempotency_key_missing")
