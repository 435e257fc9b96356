"""/v1/agents/…/episodes: readable at once, extracted later, read back in time order."""

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from membus.core.errors import ConflictError, UnavailableError
from membus.core.event import RecordedEvent
from tests.factories import NOON
from tests.support.api_client import ApiTestClient, ApiTestResponse
from tests.support.extraction import Extraction, observant

EPISODES = "/v1/agents/guide/episodes"
SAID = {"user_id": "ada", "type": "message.sent", "payload": {"text": "I live in Lisbon"}}
DAY = timedelta(days=1)


def post(
    door: ApiTestClient, *episodes: Any, key: str | None = None, path: str = EPISODES
) -> ApiTestResponse:
    return door.post(path, {"episodes": list(episodes)}, key=key)


def read(door: ApiTestClient, query: str = "", path: str = EPISODES) -> list[str]:
    answer = door.get(path, query)
    assert answer.status == 200, answer.text
    return [item["event_id"] for item in answer.json["items"]]


def said(event_id: str, **members: Any) -> dict[str, Any]:
    return SAID | {"event_id": event_id} | members


def at(days: float) -> str:
    return (NOON + days * DAY).isoformat()


def test_episode_is_readable_as_soon_as_it_is_accepted(door: ApiTestClient) -> None:
    answer = post(door, said("e1", session_id="s1"))

    assert (answer.status, answer.json) == (
        201,
        {"accepted": [{"index": 0, "event_id": "e1"}], "rejected": []},
    )
    page = door.get(EPISODES).json
    assert page == {
        "items": [
            {
                "event_id": "e1",
                "user_id": "ada",
                "agent_id": "guide",
                "session_id": "s1",
                "type": "message.sent",
                "occurred_at": "2026-03-01T12:00:00Z",
                "payload": {"text": "I live in Lisbon"},
                "origin": "api",
                "learned_at": "2026-03-01T12:00:00Z",
                "tier": "hot",
            }
        ],
        "next_cursor": None,
    }


def test_single_episode_is_accepted_without_a_list(door: ApiTestClient) -> None:
    answer = door.post(EPISODES, said("e1"), key=None)

    assert (answer.status, answer.json["accepted"]) == (201, [{"index": 0, "event_id": "e1"}])
    assert read(door) == ["e1"]


def test_appended_episode_is_extracted_once(door: ApiTestClient) -> None:
    post(door, said("e1"), {"user_id": "ada", "type": "page.viewed", "payload": {"path": "/"}})
    extraction = Extraction(observant(), episodes=door.episodes, facts=door.facts)

    assert extraction.send(*door.bus.published) == []
    assert extraction.send(*door.bus.published) == []

    assert extraction.known() == {"home.city": "Lisbon"}
    assert len(extraction.prompts()) == 1
    assert len(read(door)) == 2
    assert None not in door.episodes.extracted.values()


def test_extracted_episode_is_not_published_again(door: ApiTestClient) -> None:
    post(door, said("e1"))
    Extraction(observant(), episodes=door.episodes, facts=door.facts).send(*door.bus.published)

    assert post(door, said("e1")).status == 201
    assert len(door.bus.published) == 1


def test_copy_with_other_content_is_the_first_episode(door: ApiTestClient) -> None:
    post(door, said("e1"))
    post(door, said("e1", payload={"text": "I live in Paris"}))

    assert [event.payload["text"] for event in door.bus.published] == ["I live in Lisbon"] * 2
    assert door.get(EPISODES).json["items"][0]["payload"] == {"text": "I live in Lisbon"}


def test_episodes_without_a_moment_keep_the_order_they_were_sent_in(door: ApiTestClient) -> None:
    names = [f"e{number}" for number in range(20)]
    post(door, *(said(name) for name in names))

    assert read(door) == names


@pytest.mark.parametrize(
    "moments",
    [
        ["2026-03-01T11:00:00Z"] * 6,
        [f"2026-03-01T11:00:00.{micros}Z" for micros in ("000100", "000300", "000800", "000900")],
        ["2026-03-01T11:00:00Z", "2026-03-01T12:00:00+01:00"],
    ],
)
def test_episodes_of_one_moment_keep_the_order_they_were_sent_in(
    door: ApiTestClient, moments: list[str]
) -> None:
    names = [hashlib.sha256(f"{number}".encode()).hexdigest() for number in range(len(moments))]
    post(door, *(said(name, occurred_at=at) for name, at in zip(names, moments, strict=True)))

    assert read(door) == names


def test_invalid_episode_does_not_reject_the_others(door: ApiTestClient) -> None:
    answer = post(
        door,
        said("e1"),
        said("e2", agent_id="other"),
        said("e3", payload={"text": " "}),
        7,
        said("e4", payload={"text": "x" * 200_001}),
        said("e5", type="fact.corrected"),
        said("e6"),
    )

    assert answer.status == 201
    assert [each["index"] for each in answer.json["accepted"]] == [0, 6]
    refused = [(each["index"], each["code"]) for each in answer.json["rejected"]]
    assert refused == [
        (1, "invalid"),
        (2, "invalid"),
        (3, "invalid"),
        (4, "payload_too_large"),
        (5, "reserved_type"),
    ]
    assert read(door) == ["e1", "e6"]


def test_batch_without_a_valid_episode_is_an_error_with_its_reason(door: ApiTestClient) -> None:
    assert (post(door, 1).status, post(door).status, post(door, *[SAID] * 101).status) == (422, 422, 422)
    assert post(door, said("e1", payload={"text": "x" * 200_001})).status == 413
    assert read(door) == []


def test_a_retried_request_names_the_same_episodes_of_its_agent_only(door: ApiTestClient) -> None:
    first = post(door, SAID, key="k1").json

    assert post(door, SAID, key="k1").json == first
    assert post(door, SAID, key="k1", path="/v1/agents/other/episodes").json != first
    assert len(read(door)) == len(read(door, path="/v1/agents/other/episodes")) == 1


def test_episode_that_the_bus_rejects_is_published_when_sent_again(door: ApiTestClient) -> None:
    door.bus.refusing = {"e1": "ThrottlingException"}
    refused = post(door, said("e1"), said("e2")).json
    door.bus.refusing = {}

    assert [(each["index"], each["code"]) for each in refused["rejected"]] == [(0, "unavailable")]
    assert post(door, said("e1")).status == 201
    assert [event.event_id for event in door.bus.published] == ["e2", "e1"]
    assert read(door) == ["e1", "e2"]


@pytest.mark.parametrize(
    ("error", "tried", "published"),
    [(ConflictError("collided"), ["e1", "e2", "e3"], ["e2", "e3"]), (UnavailableError("busy"), ["e1"], [])],
)
def test_unrecorded_episode_is_not_published_and_a_store_away_not_asked_again(
    door: ApiTestClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    tried: list[str],
    published: list[str],
) -> None:
    record, asked = door.episodes.record_event, []

    def flaky(recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        asked.append(recorded.event.event_id)
        if recorded.event.event_id == "e1":
            raise error
        return record(recorded, extracted=extracted)

    monkeypatch.setattr(door.episodes, "record_event", flaky)
    answer = post(door, said("e1"), said("e2"), said("e3"))

    assert asked == tried
    assert answer.status == (201 if published else 503)
    assert [event.event_id for event in door.bus.published] == published


def test_event_not_to_be_remembered_leaves_no_episode(door: ApiTestClient) -> None:
    assert post(door, said("e1", remember=False)).status == 201

    assert read(door) == []
    assert [event.remember for event in door.bus.published] == [False]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_pages_of_episodes_are_in_time_order_across_days(door: ApiTestClient, limit: int) -> None:
    days = [-3, 0, -1.5, -29, -0.25]
    post(door, *(said(f"e{day}", occurred_at=at(day)) for day in days))

    pages = [door.get(EPISODES, f"limit={limit}").json]
    while cursor := pages[-1]["next_cursor"]:
        door.clock.advance(timedelta(minutes=1))
        pages.append(door.get(EPISODES, f"limit={limit}&cursor={cursor}").json)

    seen = [item["event_id"] for page in pages for item in page["items"]]
    assert seen == ["e-29", "e-3", "e-1.5", "e-0.25", "e0"]


def test_episodes_are_limited_by_range_session_and_user(door: ApiTestClient) -> None:
    for number in range(4):
        session = f"s{number % 2}"
        post(
            door,
            said(f"e{number}", occurred_at=at(-number), session_id=session, user_id=f"user{number // 2}"),
        )

    assert read(door, f"from={quote(at(-2))}&to={quote(at(0))}") == ["e2", "e1"]
    assert read(door, "session_id=s1") == ["e3", "e1"]
    assert read(door, "user_id=user1") == ["e3", "e2"]
    assert read(door, "user_id=user1&session_id=s1") == ["e3"]


def test_default_range_is_thirty_days_and_a_margin_for_fast_clocks(door: ApiTestClient) -> None:
    post(door, *(said(f"e{day}", occurred_at=at(day)) for day in (-31, -29, 0.9, 1.1)))

    assert read(door) == ["e-29", "e0.9"]
    assert read(door, f"from={quote(at(-40))}") == ["e-31", "e-29", "e0.9"]
    assert read(door, f"to={quote(at(-25))}") == ["e-31", "e-29"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00Z", "invalid"),
        ("from=2026-03-02T12:00:00Z&to=2026-03-01T12:00:00Z", "invalid"),
        ("from=1990-01-01T00:00:00Z", "range_too_long"),
        ("from=0001-01-01T00:00:00Z", "invalid"),
        ("to=9999-12-31T23:59:59Z", "invalid"),
        ("from=yesterday", "invalid"),
        ("from=2026-03-01T12:00:00", "invalid"),
        ("session_id=a%23b", "invalid"),
        ("user_id=", "invalid"),
        ("limit=0", "invalid"),
        ("limit=201", "invalid"),
    ],
)
def test_invalid_range_of_episodes_is_rejected(door: ApiTestClient, query: str, code: str) -> None:
    assert (door.get(EPISODES, query).status, door.get(EPISODES, query).code) == (422, code)


def test_the_first_days_there_are_can_be_read(door: ApiTestClient) -> None:
    post(door, said("e1", occurred_at="1970-01-01T00:00:00Z"))

    assert read(door, "to=1970-01-02T00:00:00Z") == ["e1"]


def test_cursor_of_episodes_is_valid_for_its_query_and_tenant(door: ApiTestClient) -> None:
    post(door, *(said(f"e{number}") for number in range(3)))
    cursor = door.get(EPISODES, "limit=1").json["next_cursor"]

    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    attempts = [
        door.get(EPISODES, f"cursor={flipped}"),
        door.get(EPISODES, f"cursor={cursor}&session_id=s1"),
        door.get(EPISODES, f"cursor={cursor}&user_id=ada"),
        door.get("/v1/agents/guide1/episodes", f"cursor={cursor}"),
        door.get(EPISODES, f"cursor={cursor}&from=2026-01-01T00:00:00Z"),
        door.get("/v1/agents/guide/sessions", f"cursor={cursor}"),
    ]
    door.tenant = "zeta"
    attempts.append(door.get(EPISODES, f"cursor={cursor}"))

    assert [(each.status, each.code) for each in attempts] == [(400, "bad_cursor")] * 7


def test_another_tenant_and_another_agent_see_nothing(door: ApiTestClient) -> None:
    post(door, said("e1"))

    assert read(door, path="/v1/agents/guide1/episodes") == []
    door.tenant = "zeta"
    assert read(door) == read(door, "user_id=ada") == []
    assert post(door, said("e1", payload={"text": "mine"})).status == 201
    assert door.get(EPISODES).json["items"][0]["payload"] == {"text": "mine"}


def test_appending_and_reading_episodes_need_different_scopes(door: ApiTestClient) -> None:
    door.scopes = ("events:write", "memory:read")
    assert post(door, SAID).code == "scope_missing"
    door.scopes = ("events:write", "memory:write")
    assert door.get(EPISODES).code == "scope_missing"
