"""PUT and DELETE /v1/users/{user}/facts/{key}: corrections at once, under a version, stored as events."""

from datetime import timedelta
from typing import Any

import pytest

from membus.facts import rules
from membus.facts.corrections import CORRECTIONS_VERSION
from membus.facts.observation import Trust
from tests.factories import ADA, NOON, a_setting, an_observation, learn, recorded, said
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.support.api_client import ApiTestClient, ApiTestResponse
from tests.support.extraction import Extraction, a_message, observant

CITY = "/v1/users/ada/facts/home.city"
MINUTE = timedelta(minutes=1)


def episodes(door: ApiTestClient) -> InMemoryEpisodes:
    return door.episodes


def put(
    door: ApiTestClient, value: str, path: str = CITY, *, headers: dict[str, str] | None = None, **body: Any
) -> ApiTestResponse:
    return door.put(path, {"value": value} | body, **(headers or {}))


@pytest.fixture
def lisbon(door: ApiTestClient) -> ApiTestClient:
    """Ada said an hour ago that she lives in Lisbon."""
    learn(door.facts, ADA, an_observation("Lisbon", valid_from=NOON - timedelta(hours=1)))
    return door


def test_correction_is_readable_at_once(door: ApiTestClient) -> None:
    answer = put(door, "Porto")

    assert (answer.status, answer.headers["etag"]) == (200, '"1"')
    assert (answer.json["value"], answer.json["kind"], answer.json["version"]) == ("Porto", "place", 1)
    assert (answer.json["trust"], answer.json["confidence"]) == ("corrected", 1.0)
    assert door.get(CITY).json == answer.json
    assert door.get("/v1/users/ada/profile").json["text"] == "- home.city: Porto (since 2026-03-01)"


def test_a_correction_is_on_record_as_an_event(lisbon: ApiTestClient) -> None:
    event_id = put(lisbon, "Porto").json["provenance"]["event_id"]

    (kept,) = episodes(lisbon).contents.values()
    assert (kept.event.event_id, kept.event.type, kept.event.origin) == (event_id, "fact.corrected", "api")
    assert kept.event.payload == {"key": "home.city", "value": "Porto", "kind": "place"}
    assert episodes(lisbon).extracted == {(ADA, event_id): CORRECTIONS_VERSION}


def test_retracted_fact_is_gone_and_its_history_is_not(lisbon: ApiTestClient) -> None:
    answer = lisbon.delete(CITY)

    assert (answer.status, answer.text) == (204, "")
    assert (lisbon.get(CITY).status, lisbon.get(CITY).code) == (404, "not_found")
    assert (
        lisbon.get("/v1/users/ada/facts").json["items"]
        == lisbon.get("/v1/users/ada/profile").json["facts"]
        == []
    )
    versions = lisbon.get(f"{CITY}/history").json["items"]
    assert [(each["version"], each["value"], each["current"]) for each in versions] == [
        (1, "Lisbon", False),
        (2, None, True),
    ]


@pytest.mark.parametrize("path", [CITY, "/v1/users/ada/facts/never.known"])
def test_missing_fact_cannot_be_retracted_and_leaves_no_trace(lisbon: ApiTestClient, path: str) -> None:
    lisbon.delete(CITY)
    before = (
        dict(episodes(lisbon).contents),
        lisbon.facts.list_observations(ADA),
        lisbon.facts.get_profile(ADA),
    )

    assert (lisbon.delete(path).status, lisbon.delete(path).code) == (404, "not_found")

    assert (
        episodes(lisbon).contents,
        lisbon.facts.list_observations(ADA),
        lisbon.facts.get_profile(ADA),
    ) == before


def test_a_fact_taken_back_stays_so_whatever_is_delivered_until_somebody_sets_it(
    lisbon: ApiTestClient,
) -> None:
    lisbon.delete(CITY)
    for number in range(2):
        heard = NOON + timedelta(days=number)
        copy = an_observation("Lisbon", event_id=f"again{number}", valid_from=NOON - MINUTE, learned_at=heard)
        learn(lisbon.facts, ADA, copy)
    assert lisbon.get(CITY).status == 404

    answer = put(lisbon, "Lisbon", expected_version=0)

    assert (answer.status, answer.json["value"], answer.json["version"]) == (200, "Lisbon", 5)


SPOKEN = [
    ("home.city", "Bath", "Oslo"),
    ("diet", "vegan", "vegetarian"),
    ("work.employer", "Initech", "Acme"),
    ("allergy.nuts", "nuts", "nuts"),
    ("likes.tea", "tea", "tea"),
]


@pytest.mark.parametrize(("key", "old", "new"), SPOKEN)
@pytest.mark.parametrize("by", ["PUT", "DELETE"])
def test_value_said_after_a_correction_becomes_current(
    door: ApiTestClient, key: str, old: str, new: str, by: str
) -> None:
    path = f"/v1/users/ada/facts/{key}"
    put(door, old, path)
    if by == "DELETE":
        door.delete(path)
    learn(door.facts, ADA, an_observation(new, key=key, event_id="said", valid_from=NOON + MINUTE))

    assert door.get(path).json["value"] == new
    assert old in [each["value"] for each in door.get(f"{path}/history").json["items"]]
    assert new in door.get("/v1/users/ada/profile").json["text"]


@pytest.mark.parametrize("by", ["PUT", "DELETE"])
@pytest.mark.parametrize(("seconds", "value"), [(60, "dark"), (0.4, "dark"), (-60, "light")])
def test_setting_changed_after_a_correction_counts_and_a_copy_of_an_older_one_does_not(
    door: ApiTestClient, by: str, seconds: float, value: str
) -> None:
    path = "/v1/users/ada/facts/setting.theme"
    put(door, "light", path)
    if by == "DELETE":
        door.delete(path)
    changed = a_setting("e9", to="dark", occurred_at=NOON + timedelta(seconds=seconds))
    at = NOON.replace(microsecond=0) if abs(seconds) < 1 else NOON + MINUTE
    learn(door.facts, ADA, *rules.observe_action(recorded(changed, learned_at=at)))

    left = {"PUT": value, "DELETE": value if value == "dark" else None}[by]
    answer = door.get(path)
    assert (answer.json["value"] if answer.status == 200 else None) == left


@pytest.mark.parametrize(("key", "old", "new"), SPOKEN[:3])
def test_a_pinned_correction_stands_against_later_words(
    door: ApiTestClient, key: str, old: str, new: str
) -> None:
    path = f"/v1/users/ada/facts/{key}"
    assert put(door, old, path, pinned=True).json["pinned"] is True
    learn(door.facts, ADA, an_observation(new, key=key, event_id="said", valid_from=NOON + MINUTE))
    assert door.get(path).json["value"] == old

    assert "pinned" not in put(door, old, path, pinned=False).json
    learn(door.facts, ADA, an_observation(new, key=key, event_id="again", valid_from=NOON + MINUTE * 9))

    assert door.get(path).json["value"] == new


@pytest.mark.parametrize("pinned", ["yes", 1, None])
def test_a_pin_is_a_boolean(door: ApiTestClient, pinned: object) -> None:
    assert put(door, "Bath", pinned=pinned).status == 422


@pytest.mark.parametrize("body", [{"expected_version": 1}, {}])
def test_a_write_under_a_stale_version_changes_nothing(lisbon: ApiTestClient, body: dict[str, Any]) -> None:
    headers = {} if body else {"if-match": '"1"'}
    put(lisbon, "Porto")

    answer = put(lisbon, "Faro", headers=headers, **body)

    assert (answer.status, answer.code, answer.json["current_version"]) == (409, "conflict", 2)
    assert lisbon.get(CITY).json["value"] == "Porto"
    assert len(episodes(lisbon).contents) == 1


@pytest.mark.parametrize("headers", [{"if-match": '"2"'}, {}])
def test_a_write_under_the_version_it_knows_goes_through(
    lisbon: ApiTestClient, headers: dict[str, str]
) -> None:
    put(lisbon, "Porto")

    body: dict[str, Any] = {} if headers else {"expected_version": 2}
    answer = put(lisbon, "Faro", headers=headers, **body)

    assert (answer.status, answer.json["value"], answer.headers["etag"]) == (200, "Faro", '"3"')


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (409, {"expected_version": 0}, {}),
        (409, {}, {"if-none-match": "*"}),
        (200, {"expected_version": 1}, {}),
        (409, {"expected_version": 1}, {"if-match": '"2"'}),
        (422, {}, {"if-match": "one"}),
        (422, {"expected_version": True}, {}),
        (422, {"expected_version": -1}, {}),
    ],
)
def test_expected_version_comes_from_body_or_headers(
    lisbon: ApiTestClient, status: int, body: dict[str, Any], headers: dict[str, str]
) -> None:
    assert put(lisbon, "Porto", headers=headers, **body).status == status


@pytest.mark.parametrize(("tag", "status"), [('"1"', 409), ('"2"', 204)])
def test_only_the_version_that_was_read_is_retracted(lisbon: ApiTestClient, tag: str, status: int) -> None:
    put(lisbon, "Porto")

    assert lisbon.delete(CITY, **{"if-match": tag}).status == status
    assert lisbon.get(CITY).status == (200 if status == 409 else 404)


def test_request_retried_at_once_gets_the_etag_of_its_result(lisbon: ApiTestClient) -> None:
    first, again = (put(lisbon, "Porto", headers={"idempotency-key": "k1"}) for _ in range(2))

    assert again.headers["etag"] == first.headers["etag"] == lisbon.get(CITY).headers["etag"]


def test_unchanged_fact_is_not_sent_again(lisbon: ApiTestClient) -> None:
    for path in (CITY, "/v1/users/ada/profile"):
        tag = lisbon.get(path).headers["etag"]
        again = lisbon.get(path, **{"if-none-match": tag})
        assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)

    put(lisbon, "Porto")

    for path in (CITY, "/v1/users/ada/profile"):
        assert lisbon.get(path, **{"if-none-match": '"1"'}).status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CITY, {}),
        (CITY, {"value": ""}),
        (CITY, {"value": " \u200b"}),
        (CITY, {"value": "x" * 1001}),
        (CITY, {"value": 7}),
        (CITY, {"value": None}),
        (CITY, {"value": "x", "kind": "gossip"}),
        (CITY, {"value": "x", "valid_from": "2026-03-01T12:00:00"}),
        (CITY, {"value": "x", "valid_from": 17}),
        (CITY, {"value": "x", "valid_from": "2026-03-02T12:00:00Z"}),
        (CITY, {"value": "x", "why": "because"}),
        ("/v1/users/ada/facts/Home.City", {"value": "x"}),
        ("/v1/users/ada/facts/a b", {"value": "x"}),
        (f"/v1/users/ada/facts/{'k' * 201}", {"value": "x"}),
        ("/v1/users/a b/facts/name", {"value": "x"}),
    ],
)
def test_malformed_fact_is_rejected(door: ApiTestClient, path: str, body: dict[str, Any]) -> None:
    answer = door.put(path, body)

    assert (answer.status, answer.code) == (422, "invalid")
    assert episodes(door).contents == {}


def test_a_retried_request_gets_the_first_answer_whatever_has_happened_since(lisbon: ApiTestClient) -> None:
    first = put(lisbon, "Porto", headers={"idempotency-key": "k1"}, expected_version=1)
    gone = lisbon.delete(CITY, **{"idempotency-key": "k1"})

    again = put(lisbon, "Porto", headers={"idempotency-key": "k1"}, expected_version=1)
    still_gone = lisbon.delete(CITY, **{"idempotency-key": "k1"})

    assert (again.status, again.text) == (first.status, first.text)
    assert "etag" not in again.headers, "what it answers is not what is there"
    assert gone.status == still_gone.status == 204
    assert lisbon.get(CITY).status == 404
    assert len(episodes(lisbon).contents) == 2


@pytest.mark.parametrize(
    "other", [{"value": "Faro"}, {"kind": "plan"}, {"valid_from": "2026-01-01T00:00:00Z"}]
)
def test_a_key_used_for_another_request_is_refused(lisbon: ApiTestClient, other: dict[str, str]) -> None:
    put(lisbon, "Porto", headers={"idempotency-key": "k1"})

    answer = put(lisbon, headers={"idempotency-key": "k1"}, **({"value": "Porto"} | other))

    assert (answer.status, answer.code) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("path", ["/v1/users/ada/facts/likes.tea", "/v1/users/bob/facts/home.city"])
def test_one_key_for_two_facts_is_two_requests(door: ApiTestClient, path: str) -> None:
    answers = [put(door, "Porto", each, headers={"idempotency-key": "k1"}) for each in (CITY, path)]

    assert [(each.status, each.json["version"]) for each in answers] == [(200, 1)] * 2
    assert len(episodes(door).contents) == 2


def test_correction_of_a_past_moment_is_in_the_past(door: ApiTestClient) -> None:
    put(door, "Porto", valid_from="2026-02-01T00:00:00Z")

    answer = put(door, "Lisbon", valid_from="2020-01-01T00:00:00Z")

    assert (answer.json["value"], answer.json["version"]) == ("Porto", 2)
    for moment, value in (("2019-06-01", None), ("2021-06-01", "Lisbon"), ("2026-02-02", "Porto")):
        then = door.get("/v1/users/ada/facts", f"as_of={moment}T00:00:00Z&kind=place").json["items"]
        assert [fact["value"] for fact in then] == ([value] if value else [])


def test_facts_as_of_a_moment_before_a_retraction_still_have_the_value(lisbon: ApiTestClient) -> None:
    lisbon.clock.advance(MINUTE)
    lisbon.delete(CITY)
    before, after = (moment.isoformat().replace("+00:00", "Z") for moment in (NOON, NOON + MINUTE))

    for name in ("as_of", "known_at"):
        shown, hidden = (
            lisbon.get("/v1/users/ada/facts", f"{name}={at}").json["items"] for at in (before, after)
        )
        assert [fact["value"] for fact in shown] == ["Lisbon"]
        assert hidden == []


def test_confirmation_keeps_the_date_and_may_change_the_kind(lisbon: ApiTestClient) -> None:
    answer = put(lisbon, "lisbon", kind="plan")

    assert (answer.json["value"], answer.json["kind"]) == ("lisbon", "plan")
    assert answer.json["valid_from"].startswith("2026-03-01T11:00:00")
    assert put(lisbon, "Porto").json["kind"] == "plan"


def test_alias_of_an_attribute_names_the_same_fact(lisbon: ApiTestClient) -> None:
    by_hand = lisbon.put("/v1/users/ada/facts/location.city", {"value": "Porto"})

    assert (by_hand.json["key"], by_hand.json["version"]) == ("home.city", 2)
    assert lisbon.get("/v1/users/ada/facts/city").json["value"] == "Porto"
    assert lisbon.delete("/v1/users/ada/facts/lives_in").status == 204
    assert lisbon.get(CITY).status == 404


def test_last_correction_wins_although_clocks_disagree(door: ApiTestClient) -> None:
    put(door, "Porto")
    door.clock.advance(-MINUTE)

    assert put(door, "Faro").json["value"] == "Faro"
    assert door.delete(CITY).status == 204
    assert put(door, "Braga").json["value"] == "Braga"


def test_corrections_survive_a_rebuild_from_episodes(lisbon: ApiTestClient) -> None:
    for path, value in ((CITY, "Porto"), ("/v1/users/ada/facts/likes.tea", "tea")):
        put(lisbon, value, path)
        lisbon.clock.advance(MINUTE)
    lisbon.delete("/v1/users/ada/facts/likes.tea")
    rebuilt = Extraction(observant())

    told = [said("I live in Lisbon. I like tea", occurred_at=NOON - timedelta(hours=1))]
    kept = [(each.event, each.learned_at) for each in episodes(lisbon).contents.values()]
    for event, learned_at in [*reversed(kept), *((event, event.occurred_at) for event in told)]:
        assert rebuilt.deliver(a_message(event, taken_at=learned_at)) == []

    assert rebuilt.known() == {"home.city": "Porto"}
    assert (
        rebuilt.facts.get_fact(ADA, "home.city").provenance
        == lisbon.facts.get_fact(ADA, "home.city").provenance
    )
    assert [seen for seen in rebuilt.facts.list_observations(ADA) if seen.trust is Trust.CORRECTED] == [
        seen for seen in lisbon.facts.list_observations(ADA) if seen.trust is Trust.CORRECTED
    ]


def test_the_same_event_over_the_bus_changes_nothing(lisbon: ApiTestClient) -> None:
    put(lisbon, "Porto")
    before = lisbon.facts.get_fact(ADA, "home.city"), lisbon.facts.list_observations(ADA)
    (kept,) = episodes(lisbon).contents.values()
    assert isinstance(lisbon.facts, InMemoryFacts)
    extraction = Extraction(episodes=episodes(lisbon), facts=lisbon.facts)

    assert extraction.deliver(a_message(kept.event, taken_at=NOON + MINUTE)) == []

    assert (lisbon.facts.get_fact(ADA, "home.city"), lisbon.facts.list_observations(ADA)) == before


@pytest.mark.parametrize("type_", ["fact.corrected", "fact.retracted", "fact.recorded"])
@pytest.mark.parametrize("door_of", ["/v1/events", "/v1/agents/default/episodes"])
def test_event_of_a_reserved_type_corrects_no_fact(lisbon: ApiTestClient, door_of: str, type_: str) -> None:
    event = {"user_id": "ada", "type": type_, "payload": {"key": "home.city", "value": "Rome"}}

    answer = lisbon.post(door_of, {door_of.rsplit("/", 1)[-1]: [event]})

    assert (answer.status, answer.code) == (422, "reserved_type")
    assert lisbon.bus.published == []
    assert episodes(lisbon).contents == {}
