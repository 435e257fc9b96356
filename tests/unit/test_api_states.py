"""/v1/agents/…/sessions: working memory by version."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.api_client import ApiTestClient, ApiTestResponse

STATE = "/v1/agents/guide/sessions/s1/state"
DAY = timedelta(days=1)


def put(door: ApiTestClient, data: Any, **members: Any) -> ApiTestResponse:
    return door.put(STATE, {"data": data, **members})


def test_state_is_read_as_it_was_put(door: ApiTestClient) -> None:
    data = {"n": [0.1, -0.0, 1e-7, 9007199254740993, None, {"ü": "😀"}]}

    written = put(door, data)

    assert written.status == 200
    assert written.json == {
        "data": data,
        "version": 1,
        "expires_at": "2026-03-31T12:00:00Z",
        "user_id": None,
    }
    read = door.get(STATE)
    assert (read.status, read.json, read.headers["etag"]) == (200, written.json, '"1"')
    assert "0.1,-0.0,1e-07,9007199254740993" in read.text


def test_write_sets_the_lifetime_of_a_state(door: ApiTestClient) -> None:
    assert put(door, {}, ttl_seconds=60).json["expires_at"] == "2026-03-01T12:01:00Z"
    door.clock.advance(timedelta(seconds=59))
    assert door.get(STATE).status == 200
    door.clock.advance(timedelta(seconds=1))
    assert (door.get(STATE).status, door.get(STATE).code) == (404, "not_found")
    assert door.delete(STATE).status == 404
    assert put(door, {}, expected_version=0).json["version"] == 1


def test_a_stale_version_is_a_conflict_that_names_the_current_one(door: ApiTestClient) -> None:
    put(door, {"step": 1})
    put(door, {"step": 2})

    stale = put(door, {"step": "stale"}, expected_version=1)

    assert (stale.status, stale.code, stale.json["current_version"]) == (409, "conflict", 2)
    assert stale.headers["retry-after"]
    assert put(door, {}, expected_version=0).json["current_version"] == 2
    assert door.get(STATE).json["data"] == {"step": 2}


def test_version_of_a_missing_state_is_a_conflict_with_version_zero(door: ApiTestClient) -> None:
    assert put(door, {}, expected_version=7).json["current_version"] == 0
    assert door.get(STATE).status == 404


def test_version_may_be_named_in_a_header(door: ApiTestClient) -> None:
    body = {"data": {"step": 1}}
    assert door.put(STATE, body, **{"if-none-match": "*"}).status == 200
    assert door.put(STATE, body, **{"if-none-match": "*"}).status == 409
    tag = door.get(STATE).headers["etag"]
    assert door.put(STATE, body, **{"if-match": tag}).json["version"] == 2
    assert door.put(STATE, body, **{"if-match": tag}).json["current_version"] == 2
    assert door.delete(STATE, **{"if-match": tag}).status == 409
    assert door.delete(STATE, **{"if-match": '"2"'}).status == 204
    assert door.delete(STATE).status == 404


def test_current_version_is_not_sent_again(door: ApiTestClient) -> None:
    put(door, {"step": 1})

    assert door.get(STATE, **{"if-none-match": '"1"'}).status == 304
    assert door.get(STATE, **{"if-none-match": '"2"'}).status == 200


@pytest.mark.parametrize("tag", ["", "*", "W/x", '"0"', '"-1"', '"1", "2"', "²"])
def test_malformed_version_header_is_rejected(door: ApiTestClient, tag: str) -> None:
    assert door.put(STATE, {"data": {}}, **{"if-match": tag}).status == 422


def test_headers_and_body_must_agree(door: ApiTestClient) -> None:
    assert door.put(STATE, {"data": {}, "expected_version": 1}, **{"if-match": '"2"'}).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": [1]},
        {"data": {}, "ttl_seconds": 0},
        {"data": {}, "ttl_seconds": 31_536_001},
        {"data": {}, "ttl_seconds": "60"},
        {"data": {}, "expected_version": -1},
        {"data": {}, "expected_version": "1"},
        {"data": {}, "expected_version": True},
        {"data": {}, "more": 1},
    ],
)
def test_a_body_that_is_no_state_is_refused(door: ApiTestClient, body: Any) -> None:
    assert (door.put(STATE, body).status, door.put(STATE, body).code) == (422, "invalid")
    assert door.get(STATE).status == 404


@pytest.mark.parametrize("text", ['{"data": {"n": NaN}}', '{"data": {"a": 1, "a": 2}}', "{"])
def test_body_with_duplicate_or_invalid_members_is_rejected(door: ApiTestClient, text: str) -> None:
    assert (door.put(STATE, text).status, door.put(STATE, text).code) == (400, "invalid_json")


def test_state_too_large_to_be_read_is_rejected(door: ApiTestClient) -> None:
    quotes = door.put(STATE, {"data": {"t": ['"' * 1000] * 1700}})

    assert (quotes.status, quotes.code) == (413, "payload_too_large")
    assert door.get(STATE).status == 404


def test_a_session_of_another_tenant_is_absent(door: ApiTestClient) -> None:
    put(door, {"mine": True})
    door.tenant = "zeta"

    assert door.get(STATE).status == 404
    assert door.delete(STATE).status == 404
    assert put(door, {}, expected_version=0).json["version"] == 1


def test_sessions_are_listed_by_cursor_without_expired_ones(door: ApiTestClient) -> None:
    for number in range(4):
        body: dict[str, Any] = {"data": {}, "ttl_seconds": 60 if number in {1, 2} else 120}
        assert door.put(f"/v1/agents/guide/sessions/s{number}/state", body).status == 200
    door.put("/v1/agents/guide1/sessions/other/state", {"data": {}})
    door.clock.advance(timedelta(seconds=60))

    pages = [door.get("/v1/agents/guide/sessions", "limit=1").json]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(door.get("/v1/agents/guide/sessions", f"limit=1&cursor={cursor}").json)

    assert [[item["session_id"] for item in page["items"]] for page in pages] == [["s0"], [], [], ["s3"]]
    first = {"session_id": "s0", "version": 1, "expires_at": "2026-03-01T12:02:00Z", "user_id": None}
    assert pages[0]["items"][0] == first
    borrowed = door.get("/v1/agents/guide1/sessions", f"cursor={pages[0]['next_cursor']}")
    assert (borrowed.status, borrowed.code) == (400, "bad_cursor")


def test_reading_and_writing_are_different_scopes(door: ApiTestClient) -> None:
    door.scopes = ("memory:read",)
    assert (put(door, {}).code, door.delete(STATE).code) == ("scope_missing", "scope_missing")
    door.scopes = ("memory:write",)
    assert (door.get(STATE).code, door.get("/v1/agents/guide/sessions").code) == (
        "scope_missing",
        "scope_missing",
    )


def test_a_large_state_in_any_script_fits_the_answer(door: ApiTestClient) -> None:
    assert door.put(STATE, json.dumps({"data": {"t": "漢" * 1_300_000}}, ensure_ascii=False)).status == 200

    assert len(json.dumps(door.get(STATE).text, ensure_ascii=False).encode()) < 6_000_000
