"""membus.http: strict JSON in, problem+json out, the caller from the authorizer alone."""

import json
import unicodedata
from typing import Any

import pytest

from membus.core.errors import ConflictError, UnavailableError
from membus.facts.attributes import fact_key
from tests.fakes.conversations import InMemoryConversations
from tests.support.api_client import EVERYDAY, ApiTestClient, ApiTestResponse

EVENT = {"user_id": "ada", "type": "message.sent", "payload": {"text": "hi"}}
EVENTS = {"events": [EVENT]}


def post(door: ApiTestClient, body: Any) -> ApiTestResponse:
    return door.post("/v1/events", body)


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "{",
        '{"events": [], "events": []}',
        '{"events": NaN}',
        '{"events": [Infinity]}',
        '{"events": "\\ud800"}',
        '{"events": "\ud800"}',
        b'{"events": "\xff\xfe"}',
        b"\x00\x01",
        "\ufeff{}",
    ],
)
def test_a_body_that_is_not_json_is_refused_and_has_no_effect(door: ApiTestClient, body: str | bytes) -> None:
    answer = post(door, body)

    assert (answer.status, answer.code) == (400, "invalid_json")
    assert door.bus.published == []


def test_bytes_replaced_by_the_gateway_are_rejected_and_the_same_letter_is_not(
    door: ApiTestClient,
) -> None:
    body = json.dumps({"events": [EVENT | {"payload": {"text": "caf\ufffd"}}]}, ensure_ascii=False)

    replaced = door.post("/v1/events", body, **{"content-length": str(len(body.encode()) - 2)})
    assert (replaced.status, replaced.code) == (400, "invalid_json")
    assert door.post("/v1/events", body, **{"content-length": str(len(body.encode()))}).status == 202
    assert door.post("/v1/events", body).status == 202


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]
)
def test_every_body_is_read_as_json_whatever_its_header_says(door: ApiTestClient, content_type: str) -> None:
    assert post(door, EVENTS).status == 202
    assert door.post("/v1/events", EVENTS, **{"content-type": content_type}).status == 202


def test_a_body_without_a_header_is_read_as_json(door: ApiTestClient) -> None:
    assert post(door, json.dumps(EVENTS).encode()).status == 202


def test_a_body_above_four_megabytes_is_refused_before_any_write(door: ApiTestClient) -> None:
    answer = post(door, json.dumps(EVENTS | {"x": "x" * 4_000_000}))

    assert (answer.status, answer.code) == (413, "payload_too_large")
    assert door.bus.published == []


@pytest.mark.parametrize("depth", [70, 1001, 50_000])
def test_json_that_nests_too_deep_is_refused(door: ApiTestClient, depth: int) -> None:
    nested = (
        '{"events": [{"user_id": "ada", "type": "a.b", "payload": {"x": ' + "[" * depth + "]" * depth + "}}]}"
    )

    answer = post(door, nested)

    assert (answer.status, answer.code) == (422, "too_deep")
    assert door.bus.published == []


@pytest.mark.parametrize(
    "body",
    ["", [], {}, "null", "5", {"events": {}}, {"events": []}, {"events": [EVENT] * 101}, EVENTS | {"x": 1}],
)
def test_a_body_of_another_shape_is_refused_by_field(door: ApiTestClient, body: Any) -> None:
    answer = post(door, body)

    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.json["errors"]
    assert door.bus.published == []


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/users/ada", "/", "/v2/events"])
def test_an_unknown_route_is_a_problem_too(door: ApiTestClient, path: str) -> None:
    assert (door.get(path).status, door.get(path).code) == (404, "no_route")


@pytest.mark.parametrize("user", ["a#b", "a%23b", "..", "a\x00b", "x" * 2049, "a b", "a%2Fb", "\u202e", "a*"])
@pytest.mark.parametrize("path", ["/v1/users/{}/profile", "/v1/users/{}/facts", "/v1/conversations/{}"])
def test_an_id_that_could_forge_a_key_is_refused(door: ApiTestClient, path: str, user: str) -> None:
    answer = door.call("GET", path.format(user), headers={}, path_parameters={"user": user})

    assert (answer.status, answer.code) == (422, "invalid")


@pytest.mark.parametrize(
    "user", ["ada@example.com", "user:1", "a+b", "a|b", "a=b~c", "用户", "é", "मोहन", "நீ", "שָׁלוֹם"]
)
def test_an_id_of_ordinary_characters_is_found(door: ApiTestClient, user: str) -> None:
    assert door.get(f"/v1/users/{user}/profile").status == 200


@pytest.mark.parametrize("user", ["\u0301a", "a\ufe0f", "a\u034fb", "a\u200bb", "क\u180b"])
def test_a_mark_that_nobody_sees_makes_no_id(door: ApiTestClient, user: str) -> None:
    answer = door.call("GET", f"/v1/users/{user}/profile", headers={}, path_parameters={"user": user})

    assert (answer.status, answer.code) == (422, "invalid")


@pytest.mark.parametrize("value", ["मूँगफली", "குளிர்", "กล้วย", "café", "Noël"])
def test_a_fact_of_any_script_is_found_corrected_and_taken_back_by_its_key(
    door: ApiTestClient, value: str
) -> None:
    key = fact_key("allergy", value)
    fact = f"/v1/users/ada/facts/{key}"

    assert door.put(fact, {"value": value}).status == 200
    decomposed = f"/v1/users/ada/facts/{unicodedata.normalize('NFD', str(key))}"
    assert door.get(decomposed).json["value"] == value
    assert [each["value"] for each in door.get(f"{fact}/history").json["items"]] == [value]
    assert door.delete(fact).status == 204
    assert door.get(fact).status == 404


def test_two_forms_of_one_id_are_one_user(door: ApiTestClient) -> None:
    door.put("/v1/users/andre\u0301/facts/name", {"value": "André"})

    assert door.get("/v1/users/andré/facts/name").json["value"] == "André"


ROUTES = [
    ("POST", "/v1/events", "events:write"),
    ("GET", "/v1/users/ada/profile", "memory:read"),
    ("GET", "/v1/users/ada/facts", "memory:read"),
    ("GET", "/v1/users/ada/facts/name", "memory:read"),
    ("GET", "/v1/users/ada/facts/name/history", "memory:read"),
    ("POST", "/v1/conversations", "memory:write"),
    ("GET", "/v1/conversations", "memory:read"),
    ("GET", "/v1/conversations/c", "memory:read"),
    ("GET", "/v1/conversations/c/messages", "memory:read"),
    ("POST", "/v1/conversations/c/messages", "chat"),
    ("GET", "/v1/conversations/c/context", "memory:read"),
]
BODIES = {"/v1/events": EVENTS, "/v1/conversations": {"user_id": "ada"}}


def ask(door: ApiTestClient, method: str, path: str) -> ApiTestResponse:
    if method == "GET":
        return door.get(path)
    return door.post(path, BODIES.get(path, {"content": "hi", "author": "ada"}))


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_without_the_routes_scope_is_refused(
    door: ApiTestClient, method: str, path: str, scope: str
) -> None:
    door.scopes = tuple(each for each in (*EVERYDAY, "admin") if each != scope)

    answer = ask(door, method, path)

    assert (answer.status, answer.code) == (403, "scope_missing")
    assert scope in answer.json["detail"]
    assert door.bus.published == []


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_with_the_routes_scope_alone_is_enough(
    door: ApiTestClient, method: str, path: str, scope: str
) -> None:
    door.scopes = (scope,)

    assert ask(door, method, path).status not in {401, 403}


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_request_without_authorizer_context_is_unauthorized(
    door: ApiTestClient, method: str, path: str, scope: str
) -> None:
    door.tenant = None

    answer = ask(door, method, path)

    assert (answer.status, answer.code) == (401, "unauthorized"), scope


def test_a_tenant_that_the_client_names_is_ignored(door: ApiTestClient) -> None:
    door.post("/v1/events", EVENTS, **{"x-tenant-id": "zeta", "tenant_id": "zeta"})

    assert [event.tenant_id for event in door.bus.published] == ["acme"]
    refused = door.post("/v1/events", {"events": [EVENT | {"tenant_id": "zeta"}]})
    assert (refused.status, refused.json["rejected"][0]["code"]) == (422, "invalid")


def test_unavailable_part_says_when_to_retry(door: ApiTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: object) -> None:
        raise UnavailableError("the table is busy", retry_after_seconds=7)

    monkeypatch.setattr(door.facts, "get_profile", down)

    answer = door.get("/v1/users/ada/profile")

    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "unavailable", "7")


def test_a_conflict_carries_the_version_that_won(
    door: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: object) -> None:
        raise ConflictError("lost a race", version=4)

    monkeypatch.setattr(door.facts, "get_profile", lost)

    answer = door.get("/v1/users/ada/profile")

    assert (answer.status, answer.json["current_version"], answer.headers["retry-after"]) == (409, 4, "1")


def test_defect_is_a_problem_without_details(door: ApiTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError("the secret word")

    monkeypatch.setattr(door.facts, "get_profile", broken)

    answer = door.get("/v1/users/ada/profile")

    assert (answer.status, answer.code) == (500, "internal")
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/v1/health", "/v1/openapi.json"])
def test_the_public_routes_need_no_key(door: ApiTestClient, path: str) -> None:
    door.tenant = None

    assert door.get(path).status == 200


class Garbled(InMemoryConversations):
    """A store whose answer has lost its members."""

    def get_conversation(self, tenant: str, conversation_id: str) -> Any:
        return {"title": "lost"}


def test_answer_that_does_not_fit_its_schema_is_a_defect(door: ApiTestClient) -> None:
    door.conversations = Garbled(door.clock)

    answer = door.get("/v1/conversations/c1")

    assert (answer.status, answer.code) == (500, "internal")
