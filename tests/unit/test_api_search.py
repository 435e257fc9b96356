"""`/v1/search`: every kind of memory in one call, less while a part is away, and nothing of other users."""

from datetime import timedelta
from typing import Any

import pytest

from membus.core.identity import Owner
from membus.search.retrieval import index_entry
from tests.factories import ADA, NOON, an_observation, learn, recorded, said
from tests.support.api_client import ApiTestClient
from tests.support.memories import a_memory, fill


@pytest.fixture
def door() -> ApiTestClient:
    return ApiTestClient()


def answer(door: ApiTestClient, query: str, **asked: Any) -> dict[str, Any]:
    got = door.post("/v1/search", {"query": query, **asked}, key=None)
    assert got.status == 200, got.text
    found: dict[str, Any] = got.json
    return found


def ids(door: ApiTestClient, query: str, **asked: Any) -> list[str]:
    return [each["id"] for each in answer(door, query, **asked)["results"]]


def knowing(door: ApiTestClient, owner: Owner = ADA) -> None:
    """Let DynamoDB know what the index would: where the user lives, and what was said lately."""
    learn(door.facts, owner, an_observation("Lisbon"))
    door.episodes.record_event(
        recorded(said("I love hiking", "e2", owner=owner, session_id="s1")), extracted="v"
    )
    door.episodes.record_event(recorded(said("Lunch was late", "e3", owner=owner)), extracted="v")


def test_search_finds_every_kind_of_memory(door: ApiTestClient) -> None:
    kinds = ("fact", "episode", "document", "summary")
    fill(door.memories, *(a_memory(kind, "green tea", kind=kind) for kind in kinds))

    found = answer(door, "tea", user_id="ada")

    assert ({each["kind"] for each in found["results"]}, found["degraded"]) == (set(kinds), False)
    assert all(0 <= each["score"] <= 1 for each in found["results"])
    assert ids(door, "tea", user_id="ada", kinds=["fact", "summary"]) in (
        ["fact", "summary"],
        ["summary", "fact"],
    )


def test_search_finds_only_memories_of_its_scope(door: ApiTestClient) -> None:
    fill(
        door.memories,
        a_memory("mine", "tea"),
        a_memory("hers", "tea", user_id="ada2"),
        a_memory("shared", "tea", user_id=None),
        a_memory("agents", "tea", user_id=None, agent_id="bot"),
        a_memory("theirs", "tea", tenant="zeta"),
        a_memory("known", "tea", kind="fact"),
        a_memory("spoken", "tea", kind="episode", agent_id="bot", session="s1"),
    )

    assert set(ids(door, "tea", user_id="ada")) == {"mine", "known", "spoken", "shared"}
    assert set(ids(door, "tea", user_id="ada", agent_id="bot")) == {"known", "spoken", "shared", "agents"}
    assert set(ids(door, "tea", agent_id="bot")) == {"agents", "known", "spoken"}
    assert ids(door, "tea", user_id="ada", session_id="s1") == ["spoken"]
    assert len(ids(door, "tea")) == 6


def test_time_bounds_are_inclusive_and_as_of_sees_nothing_later(door: ApiTestClient) -> None:
    moments = {f"m{day}": NOON + timedelta(days=day) for day in range(3)}
    fill(door.memories, *(a_memory(name, "tea", occurred_at=moment) for name, moment in moments.items()))
    first, second = moments["m0"].isoformat(), moments["m1"].isoformat()

    assert set(ids(door, "tea", **{"from": second})) == {"m1", "m2"}
    assert set(ids(door, "tea", to=second)) == {"m0", "m1"}
    assert ids(door, "tea", as_of=first) == ["m0"]
    assert ids(door, "tea", **{"from": second, "as_of": first}) == []


def test_results_fit_the_token_budget_and_are_explained_on_request(door: ApiTestClient) -> None:
    fill(door.memories, a_memory("long", f"tea {'leaves ' * 40}"), a_memory("short", "tea time"))

    assert ids(door, "tea", max_tokens=5) == ["short"]
    (explained,) = answer(door, "tea times", max_tokens=5, explain=True)["results"]
    assert explained["explain"]["matched"] == ["tea", "time"]
    assert answer(door, "tea")["results"][0]["explain"] is None


def test_search_returns_at_most_k_results(door: ApiTestClient) -> None:
    fill(door.memories, *(a_memory(f"m{number}", f"tea {number}") for number in range(30)))

    for mode in ("hybrid", "vector", "text"):
        assert [len(ids(door, "tea", mode=mode, k=k)) for k in (1, 10, 30)] == [1, 10, 30]


def test_a_query_is_embedded_once(door: ApiTestClient) -> None:
    fill(door.memories, a_memory("m1", "green tea"))
    ids(door, "green tea")

    assert door.embedder.asked == ["green tea"]


def test_search_without_the_index_uses_profile_and_recent_events(door: ApiTestClient) -> None:
    knowing(door)
    door.memories.away = True

    found = answer(door, "where is home", user_id="ada")

    assert found["degraded"] is True
    assert found["results"][0]["id"] == "fact:ada:home.city"
    assert found["results"][0]["source"]["event_id"] == "e1"
    assert set(ids(door, "hiking", user_id="ada")) == {"fact:ada:home.city", "event:ada/e2", "event:ada/e3"}
    assert ids(door, "hiking", user_id="ada")[0] == "event:ada/e2"
    assert ids(door, "hiking", user_id="ada", mode="text") == ["event:ada/e2"]


def test_degraded_search_keeps_to_filters_and_user(door: ApiTestClient) -> None:
    knowing(door)
    knowing(door, Owner(tenant="acme", user="ada10"))
    knowing(door, Owner(tenant="zeta", user="bob"))
    door.memories.away = True

    assert ids(door, "hiking", user_id="ada", session_id="s1") == ["event:ada/e2"]
    assert ids(door, "hiking", user_id="ada", kinds=["fact"]) == ["fact:ada:home.city"]
    assert ids(door, "hiking", user_id="ada", filters={"type": "page.viewed"}) == []
    assert answer(door, "hiking", user_id="bob") == {"results": [], "degraded": True, "pending": None}
    assert answer(door, "hiking") == {"results": [], "degraded": True, "pending": None}


def test_search_without_the_embedding_model_uses_words(door: ApiTestClient) -> None:
    fill(door.memories, a_memory("m1", "green tea"), a_memory("m2", "coffee"))
    door.embedder.away = True

    found = answer(door, "teas")
    assert (found["results"][0]["id"], found["degraded"]) == ("m1", True)
    assert answer(door, "teas", mode="text")["degraded"] is False


def test_search_over_budget_uses_words_and_says_so(door: ApiTestClient) -> None:
    fill(door.memories, a_memory("mine", "green tea"))
    door.embedder.unpaid = True

    found = answer(door, "tea", user_id="ada")

    assert ([each["id"] for each in found["results"]], found["degraded"]) == (["mine"], True)


def test_search_reports_the_number_of_pending_passages(door: ApiTestClient) -> None:
    fill(door.memories, a_memory("mine", "green tea"))
    assert answer(door, "tea", user_id="ada")["pending"] == 0

    door.memories.put("acme", [index_entry(a_memory("new", "black tea"))])

    assert answer(door, "tea", user_id="ada")["pending"] == 1
    assert answer(door, "tea")["pending"] is None
