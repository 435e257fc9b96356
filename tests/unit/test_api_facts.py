"""GET /v1/users/…: what is known, what was known, and why."""

from datetime import timedelta
from typing import Any

import pytest

from membus.core.identity import Owner
from membus.core.tokens import estimate_tokens
from membus.facts.observation import Observation
from tests.factories import ADA, NOON, a_fact, an_observation, learn
from tests.support.api_client import ApiTestClient, ApiTestResponse

DAY = timedelta(days=1)


def observed(
    value: str, day: int, *, learned: int | None = None, key: str = "home.city", kind: str = "place"
) -> Observation:
    return an_observation(
        value,
        key=key,
        kind=kind,
        event_id=f"{key}-{day}",
        valid_from=NOON + day * DAY,
        learned_at=NOON + (day if learned is None else learned) * DAY,
    )


@pytest.fixture
def knowing(door: ApiTestClient) -> ApiTestClient:
    """Ada moved from Lisbon to Paris on day 2 and told us on day 8; she likes tea since day 1."""
    learn(
        door.facts,
        ADA,
        observed("Lisbon", 1),
        observed("Paris", 2, learned=8),
        observed("tea", 1, key="likes.tea", kind="preference"),
    )
    return door


def day(number: int) -> str:
    return (NOON + number * DAY).isoformat().replace("+00:00", "Z")


def values(answer: ApiTestResponse) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    return {fact["key"]: fact["value"] for fact in answer.json.get("facts", answer.json.get("items"))}


def test_a_profile_is_the_current_facts_as_data_and_as_text(knowing: ApiTestClient) -> None:
    profile = knowing.get("/v1/users/ada/profile").json

    assert profile["version"] == 1
    assert {fact["key"]: fact["value"] for fact in profile["facts"]} == {
        "home.city": "Paris",
        "likes.tea": "tea",
    }
    assert profile["text"] == "- home.city: Paris (since 2026-03-03)\n- likes.tea: tea (since 2026-03-02)"
    assert profile["tokens"] == estimate_tokens(profile["text"])


def test_facts_as_of_a_moment_come_in_pages_with_their_own_cursor(knowing: ApiTestClient) -> None:
    facts, then = "/v1/users/ada/facts", f"as_of={day(3)}"

    first = knowing.get(facts, f"{then}&limit=1").json
    second = knowing.get(facts, f"{then}&limit=1&cursor={first['next_cursor']}").json

    assert [[fact["key"] for fact in page["items"]] for page in (first, second)] == [
        ["home.city"],
        ["likes.tea"],
    ]
    assert second["next_cursor"] is None
    for other in (f"as_of={day(4)}", f"known_at={day(3)}", "limit=1"):
        assert knowing.get(facts, f"{other}&cursor={first['next_cursor']}").code == "bad_cursor"


def test_unknown_user_has_an_empty_profile(door: ApiTestClient) -> None:
    assert door.get("/v1/users/nobody/profile").json == {"version": 0, "facts": [], "text": "", "tokens": 0}


@pytest.mark.parametrize(
    ("moment", "known"),
    [
        (0, {}),
        (1, {"home.city": "Lisbon", "likes.tea": "tea"}),
        (2, {"home.city": "Paris", "likes.tea": "tea"}),
    ],
)
def test_profile_as_of_a_moment_has_what_was_true_then(
    knowing: ApiTestClient, moment: int, known: dict[str, str]
) -> None:
    assert values(knowing.get("/v1/users/ada/profile", f"as_of={day(moment)}")) == known
    assert values(knowing.get("/v1/users/ada/facts", f"as_of={day(moment)}")) == known


@pytest.mark.parametrize(
    ("query", "city"),
    [
        (f"known_at={day(7)}", "Lisbon"),
        (f"known_at={day(8)}", "Paris"),
        (f"as_of={day(2)}&known_at={day(7)}", "Lisbon"),
    ],
)
def test_facts_known_at_a_moment_have_what_was_known_then(
    knowing: ApiTestClient, query: str, city: str
) -> None:
    assert values(knowing.get("/v1/users/ada/facts", query))["home.city"] == city
    assert values(knowing.get("/v1/users/ada/facts", f"{query}&kind=place")) == {"home.city": city}


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-01T12:00:00", "2026-13-01T00:00:00Z", ""])
@pytest.mark.parametrize("path", ["/v1/users/ada/profile", "/v1/users/ada/facts"])
def test_malformed_moment_is_rejected(knowing: ApiTestClient, path: str, moment: str) -> None:
    answer = knowing.get(path, f"as_of={moment}")

    assert (answer.status, answer.code) == (422, "invalid")
    assert "as_of" in answer.json["errors"][0]["field"]


def test_fact_has_its_provenance(knowing: ApiTestClient) -> None:
    fact = knowing.get("/v1/users/ada/facts/home.city").json

    assert (fact["value"], fact["replaced"], fact["version"], fact["trust"]) == (
        "Paris",
        "Lisbon",
        2,
        "user_stated",
    )
    assert fact["provenance"]["event_id"] == "home.city-2"
    assert fact["provenance"]["quote"] == "I live in Paris"
    assert fact["learned_at"] == day(8)


def test_a_history_is_every_version_with_its_event(knowing: ApiTestClient) -> None:
    versions = knowing.get("/v1/users/ada/facts/home.city/history").json["items"]

    assert [(each["version"], each["value"], each["current"]) for each in versions] == [
        (1, "Lisbon", False),
        (2, "Paris", True),
    ]
    assert [each["provenance"]["event_id"] for each in versions] == ["home.city-1", "home.city-2"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/ada/facts/name",
        "/v1/users/ada/facts/name/history",
        "/v1/users/bob/facts/home.city",
        "/v1/users/ada/facts/home",
        "/v1/users/ad/facts/home.city/history",
    ],
)
def test_unknown_fact_is_not_found(knowing: ApiTestClient, path: str) -> None:
    assert (knowing.get(path).status, knowing.get(path).code) == (404, "not_found")


def test_user_of_another_tenant_is_unknown(knowing: ApiTestClient) -> None:
    knowing.tenant = "zeta"

    assert values(knowing.get("/v1/users/ada/profile")) == {}
    assert values(knowing.get("/v1/users/ada/facts")) == {}
    assert knowing.get("/v1/users/ada/facts/home.city").status == 404
    assert knowing.get("/v1/users/ada/facts/home.city/history").status == 404


@pytest.mark.parametrize(
    "key", ["a#b", "a%23b", "..", "x" * 201, "x" * 5000, "語" * 199 + "#", " ", ".a", "a b"]
)
@pytest.mark.parametrize("tail", ["", "/history"])
def test_malformed_fact_key_is_rejected(knowing: ApiTestClient, key: str, tail: str) -> None:
    path = f"/v1/users/ada/facts/{key}{tail}"
    answer = knowing.call("GET", path, headers={}, path_parameters={"user": "ada", "key": key})

    assert (answer.status, answer.code) == (422, "invalid")


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_lead_to_every_fact_once(door: ApiTestClient, limit: int) -> None:
    learn(
        door.facts,
        Owner(tenant="acme", user="bob"),
        *(an_observation("x", key=f"likes.{n}") for n in range(5)),
    )
    found: list[str] = []
    query = f"limit={limit}"
    while True:
        page = door.get("/v1/users/bob/facts", query).json
        found += [fact["key"] for fact in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit={limit}&cursor={page['next_cursor']}"

    assert found == [f"likes.{n}" for n in range(5)]


def test_a_kind_filters_the_list(knowing: ApiTestClient) -> None:
    assert values(knowing.get("/v1/users/ada/facts", "kind=preference")) == {"likes.tea": "tea"}
    assert values(knowing.get("/v1/users/ada/facts", "kind=work")) == {}


@pytest.mark.parametrize(
    "query", ["kind=gossip", "limit=0", "limit=201", "limit=x", "limit=-1", "cursor=" + "x" * 2049]
)
def test_parameter_out_of_bounds_is_rejected(knowing: ApiTestClient, query: str) -> None:
    answer = knowing.get("/v1/users/ada/facts", query)

    assert (answer.status, answer.code) == (422, "invalid")


def test_a_profile_is_one_read(knowing: ApiTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("get_fact", "list_facts", "list_observations"):
        monkeypatch.delattr(f"tests.fakes.facts.InMemoryFacts.{other}")

    assert knowing.get("/v1/users/ada/profile").status == 200


def test_a_profile_never_asks_a_model(knowing: ApiTestClient) -> None:
    knowing.get("/v1/users/ada/profile")

    assert knowing.model.prompts == []
    assert a_fact("x").version == 1


def test_a_plan_is_gone_from_profile_and_facts_when_its_day_is_over(door: ApiTestClient) -> None:
    plan = an_observation("exam", key="plan.exam", kind="plan", valid_until=NOON + DAY)
    learn(door.facts, ADA, plan)
    before = _count_facts(door)

    door.clock.advance(DAY)

    assert (before, _count_facts(door)) == ((1, 1), (0, 0))
    assert len(door.get("/v1/users/ada/facts/plan.exam/history").json["items"]) == 1


def _count_facts(door: ApiTestClient) -> tuple[int, int]:
    profile, facts = door.get("/v1/users/ada/profile").json, door.get("/v1/users/ada/facts").json
    return len(profile["facts"]), len(facts["items"])
