"""GET …/history and ?as_of: pages of a long history, and the true end of every value."""

from datetime import timedelta
from typing import Any

from membus.facts.commit import fold_observations
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit
from tests.factories import ADA, NOON, an_observation, learn
from tests.support.api_client import ApiTestClient

HOUR = timedelta(hours=1)
HISTORY = "/v1/users/ada/facts/setting.theme/history"
TOGGLES = 130


def toggle(number: int) -> Observation:
    return an_observation(
        "dark" if number % 2 else "light",
        key="setting.theme",
        kind="setting",
        event_id=f"e{number:04d}",
        valid_from=NOON + HOUR * number,
    )


def toggled(door: ApiTestClient, times: int = TOGGLES) -> None:
    for start in range(0, times, 40):
        seen = tuple(toggle(number) for number in range(start, min(start + 40, times)))
        folded = fold_observations(ADA, seen, door.facts)
        profile = door.facts.get_full_profile(ADA).with_facts(folded.facts)
        door.facts.commit(
            FactCommit(profile, "v1", (), observations=seen, facts=folded.facts, snapshots=folded.snapshots)
        )


def pages(door: ApiTestClient, limit: int) -> list[list[dict[str, Any]]]:
    found, cursor = [], ""
    while True:
        page = door.get(HISTORY, f"limit={limit}{cursor}").json
        found.append(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_long_history_comes_in_pages_with_continued_numbers(door: ApiTestClient) -> None:
    toggled(door)

    found = pages(door, 50)

    assert [len(page) for page in found] == [50, 50, 30]
    every = [each for page in found for each in page]
    assert [each["version"] for each in every] == list(range(1, TOGGLES + 1))
    assert [each["current"] for each in every] == [False] * (TOGGLES - 1) + [True]


def test_replaced_value_ends_where_the_next_begins_across_pages(
    door: ApiTestClient,
) -> None:
    toggled(door, 25)

    every = [each for page in pages(door, 10) for each in page]

    assert [each["valid_until"] for each in every] == [*(each["valid_from"] for each in every[1:]), None]


def test_cursor_of_a_history_is_valid_for_no_other(door: ApiTestClient) -> None:
    toggled(door, 25)
    learn(door.facts, ADA, an_observation())
    cursor = door.get(HISTORY, "limit=10").json["next_cursor"]

    assert door.get("/v1/users/ada/facts/home.city/history", f"cursor={cursor}").code == "bad_cursor"


def test_retracted_value_ends_with_its_retraction(door: ApiTestClient) -> None:
    learn(door.facts, ADA, an_observation("Lisbon", valid_from=NOON - HOUR))
    door.delete("/v1/users/ada/facts/home.city")

    told, back = door.get("/v1/users/ada/facts/home.city/history").json["items"]

    assert (told["valid_until"], told["current"]) == (back["valid_from"], False)
    assert (back["value"], back["current"]) == (None, True)


def test_fact_as_of_a_day_says_when_it_ended(door: ApiTestClient) -> None:
    learn(door.facts, ADA, an_observation("Lisbon", event_id="e1", valid_from=NOON - HOUR * 9))
    learn(door.facts, ADA, an_observation("Rome", event_id="e2", valid_from=NOON - HOUR * 3))
    then, before = (
        (NOON - HOUR * 5).isoformat().replace("+00:00", "Z"),
        (NOON - HOUR * 4).isoformat().replace("+00:00", "Z"),
    )

    (fact,) = door.get("/v1/users/ada/facts", f"as_of={then}").json["items"]
    (unaware,) = door.get("/v1/users/ada/facts", f"as_of={then}&known_at={before}").json["items"]
    (shown,) = door.get("/v1/users/ada/profile", f"as_of={then}").json["facts"]

    assert (fact["value"], fact["valid_until"]) == (
        "Lisbon",
        (NOON - HOUR * 3).isoformat().replace("+00:00", "Z"),
    )
    assert (unaware["value"], unaware["valid_until"]) == ("Lisbon", None), "nobody knew of Rome then"
    assert shown == fact | {"confidence": shown["confidence"]}


def test_explanation_of_a_long_history_is_bounded_and_numbered_alike(door: ApiTestClient) -> None:
    toggled(door, 230)

    told = door.get("/v1/users/ada/facts/setting.theme", "explain=true").json

    replaced = told["explanation"]["replaced"]
    assert len(replaced) == 100
    assert (told["version"], replaced[-1]["version"]) == (230, 229)


def test_etag_never_repeats_for_another_fact(door: ApiTestClient) -> None:
    tags = []
    for city in ("Lisbon", "Rome", "Lisbon"):
        answer = door.put("/v1/users/ada/facts/home.city", {"value": city})
        tags.append(answer.headers["etag"])
        door.put("/v1/users/ada/facts/work.role", {"value": city})
    door.delete("/v1/users/ada/facts/home.city")
    tags.append(door.put("/v1/users/ada/facts/home.city", {"value": "Oslo"}).headers["etag"])

    assert len(set(tags)) == len(tags)
    stale = door.put("/v1/users/ada/facts/home.city", {"value": "Porto"}, **{"if-match": tags[0]})
    assert (stale.status, door.get("/v1/users/ada/facts/home.city").json["value"]) == (409, "Oslo")
