"""What strangers send.

Refused with a stable code, before anything is written (rows of the bad-input table).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, now, said, somebody

pytestmark = pytest.mark.stack


@pytest.fixture
def stranger(stack: Stack) -> Iterator[Client]:
    client = Client(stack.api_url, None)
    yield client
    client.close()


def refusal(client: Client, body: bytes) -> tuple[int, str]:
    answer = client.http.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.headers["content-type"].startswith("application/problem+json")
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["request_id"]
    assert "Traceback" not in answer.text
    return answer.status_code, told["code"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"{not json", (400, "invalid_json"), id="1-not-json"),
        pytest.param(b'{"events": [], "events": []}', (400, "invalid_json"), id="2-duplicate-keys"),
        pytest.param(b'{"events": [NaN]}', (400, "invalid_json"), id="2-nan"),
        pytest.param(b'{"events": [{"type": "\\ud800"}]}', (400, "invalid_json"), id="5-lone-surrogate"),
        pytest.param(b'{"events": ' + b"[" * 1001 + b"]" * 1001 + b"}", (422, "too_deep"), id="6-too-deep"),
        pytest.param(b'{"events": []}', (422, "invalid"), id="empty-batch"),
        pytest.param(b"[]", (422, "invalid"), id="not-an-object"),
        pytest.param(b'{"events": [1]}', (422, "invalid"), id="not-an-event"),
    ],
)
def test_a_malformed_body_is_refused(acme: Client, body: bytes, expected: tuple[int, str]) -> None:
    assert refusal(acme, body) == expected


def test_an_oversized_body_is_refused_before_it_is_read(acme: Client) -> None:
    assert refusal(acme, b'{"events": ["' + b"x" * 4_100_000 + b'"]}') == (413, "payload_too_large")


def test_an_oversized_event_is_refused(acme: Client) -> None:
    answer = acme.post("/v1/events", {"events": [said(somebody(), "x" * 257 * 1024)]})

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("text", ["   ", "\u200b\u200d", "\x01\x02", ""])
def test_message_without_a_visible_character_is_refused(acme: Client, text: str) -> None:
    answer = acme.post("/v1/events", {"events": [said(somebody(), text)]})

    assert answer.status_code == 422
    assert answer.json()["rejected"][0]["code"] == "invalid"


@pytest.mark.parametrize("user", ["a#b", "a/b", "..", "a\x00b", "x" * 2049, "", "a b"])
def test_an_id_that_could_forge_a_key_is_refused(acme: Client, user: str) -> None:
    answer = acme.post("/v1/events", {"events": [said(user, "hello")]})

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"


@pytest.mark.parametrize("occurred_at", ["yesterday", "2026-11-20T12:00:00", 17])
def test_time_without_a_zone_is_refused(acme: Client, occurred_at: Any) -> None:
    answer = acme.post("/v1/events", {"events": [said(somebody(), "hello", occurred_at=occurred_at)]})

    assert answer.status_code == 422


def test_request_that_creates_something_needs_an_idempotency_key(acme: Client) -> None:
    for path, body in (
        ("/v1/conversations", {"user_id": "ada"}),
        ("/v1/conversations/any/messages", {"content": "hello", "author": "ada"}),
    ):
        answer = acme.post(path, body, key=None)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def test_a_tampered_or_borrowed_cursor_is_refused(acme: Client, zeta: Client) -> None:
    for _ in range(3):
        assert acme.post("/v1/conversations", {"user_id": "ada"}).status_code == 201
    page = acme.get("/v1/conversations", limit="2").json()
    cursor = page["next_cursor"]
    assert cursor
    assert acme.get("/v1/conversations", limit="2", cursor=cursor).status_code == 200

    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    attempts = [
        acme.get("/v1/conversations", cursor=flipped),
        acme.get("/v1/conversations", cursor="nonsense"),
        acme.get("/v1/conversations", status="archived", cursor=cursor),
        zeta.get("/v1/conversations", cursor=cursor),
    ]

    assert [(each.status_code, each.json()["code"]) for each in attempts] == [(400, "bad_cursor")] * 4


def test_unknown_route_and_missing_resource_reveal_nothing(acme: Client, stranger: Client) -> None:
    for method, path in (
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/events"),
        ("GET", "/"),
        ("POST", "/v2/events"),
    ):
        unknown = acme.http.request(method, path)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "no_route"), path
        assert (unknown.headers["content-type"], bool(unknown.json()["request_id"])) == (
            "application/problem+json",
            True,
        )
        assert stranger.http.request(method, path).status_code == 401
    absent = acme.get("/v1/conversations/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")
    assert acme.get(f"/v1/users/{somebody()}/facts/home.city").status_code == 404


def test_event_of_a_newer_schema_is_refused(acme: Client) -> None:
    answer = acme.post(
        "/v1/events", {"events": [said(somebody(), "hello", schema=2, occurred_at=now().isoformat())]}
    )

    assert answer.status_code == 422
