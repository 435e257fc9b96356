"""/v1/conversations: started once for each request, found and listed by their own tenant only."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from membus.core.errors import UnavailableError
from tests.factories import a_conversation, a_turn
from tests.fakes.idempotency import InMemoryIdempotency
from tests.support.api_client import ApiTestClient, ApiTestResponse

ADA = {"user_id": "ada"}


def start(door: ApiTestClient, body: Any = ADA, *, key: str | None = "k1") -> ApiTestResponse:
    return door.post("/v1/conversations", body, key=key)


def test_a_conversation_is_made_and_found(door: ApiTestClient) -> None:
    made = start(door, ADA | {"title": "Trip", "agent_id": "guide", "members": ["bob"]})

    assert made.status == 201
    assert made.json["tenant_id"] == "acme"
    assert (made.json["title"], made.json["agent_id"], made.json["members"]) == ("Trip", "guide", ["bob"])
    assert (made.json["status"], made.json["message_count"]) == ("active", 0)
    assert door.get(f"/v1/conversations/{made.json['conversation_id']}").json == made.json


def test_the_same_request_makes_one_conversation(door: ApiTestClient) -> None:
    first = start(door)
    door.clock.advance(timedelta(minutes=1))

    assert start(door).json == first.json
    assert len(door.get("/v1/conversations").json["items"]) == 1


def test_a_key_used_for_another_body_is_refused(door: ApiTestClient) -> None:
    start(door)

    answer = start(door, ADA | {"title": "Other"})

    assert (answer.status, answer.code) == (422, "idempotency_mismatch")
    assert len(door.get("/v1/conversations").json["items"]) == 1


def test_another_key_or_tenant_makes_another_conversation(door: ApiTestClient) -> None:
    made = {start(door).json["conversation_id"], start(door, key="k2").json["conversation_id"]}
    door.tenant = "zeta"
    made.add(start(door).json["conversation_id"])

    assert len(made) == 3


def test_a_request_without_a_key_is_refused(door: ApiTestClient) -> None:
    answer = start(door, key=None)

    assert (answer.status, answer.code) == (400, "idempotency_key_missing")
    assert door.get("/v1/conversations").json["items"] == []


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_empty_or_too_long_is_refused(door: ApiTestClient, key: str) -> None:
    assert start(door, key=key).status == 422


class Death(BaseException):
    """The end of a function in the middle of its work: nothing catches it."""


def test_a_request_that_is_being_served_is_a_conflict_until_its_function_must_have_ended(
    door: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: object, **__: object) -> None:
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(door.conversations, "create_conversation", die)
        with pytest.raises(Death):
            start(door)
    again = start(door)
    (record,) = door.idempotency.records.values()
    assert record.in_progress_expiry_timestamp is not None
    assert record.in_progress_expiry_timestamp / 1000 == pytest.approx(
        time.time() + door.seconds_left, abs=10
    )
    record.in_progress_expiry_timestamp = 1

    assert (again.status, again.code, again.headers["retry-after"]) == (409, "in_progress", "1")
    assert start(door).status == 201


def test_a_request_that_failed_may_be_sent_again(
    door: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_: object, **__: object) -> None:
        raise UnavailableError("the table is busy")

    with monkeypatch.context() as patch:
        patch.setattr(door.conversations, "create_conversation", down)
        assert start(door).status == 503

    assert start(door).status == 201


def test_records_out_of_reach_make_nothing(door: ApiTestClient) -> None:
    door.idempotency = InMemoryIdempotency(down=True)

    answer = start(door)

    assert (answer.status, answer.code) == (503, "unavailable")
    assert door.get("/v1/conversations").json["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        ADA | {"user_id": "a#b"},
        ADA | {"members": ["a b"]},
        ADA | {"members": ["a"] * 51},
        ADA | {"title": ""},
        ADA | {"title": "x" * 201},
        ADA | {"agent_id": ".."},
        ADA | {"tenant_id": "zeta"},
        ADA | {"status": "archived"},
    ],
)
def test_a_conversation_that_cannot_be_one_is_refused(door: ApiTestClient, body: Any) -> None:
    answer = start(door, body)

    assert (answer.status, answer.code) == (422, "invalid")
    assert door.get("/v1/conversations").json["items"] == []


def test_another_tenants_conversation_is_not_found(door: ApiTestClient) -> None:
    conversation = start(door).json["conversation_id"]
    door.tenant = "zeta"

    for path in (f"/v1/conversations/{conversation}", f"/v1/conversations/{conversation}/messages"):
        assert (door.get(path).status, door.get(path).code) == (404, "not_found")
    assert door.get("/v1/conversations").json == {"items": [], "next_cursor": None}


def test_conversations_are_listed_newest_first_by_status(door: ApiTestClient) -> None:
    for number, status in enumerate(["active", "archived", "active"]):
        door.conversations.create_conversation(
            a_conversation(f"c{number}", status=status), request_key=uuid4().hex
        )

    listed = [each["conversation_id"] for each in door.get("/v1/conversations").json["items"]]
    archived = door.get("/v1/conversations", "status=archived").json["items"]

    assert listed == ["c2", "c0"]
    assert [each["conversation_id"] for each in archived] == ["c1"]
    assert door.get("/v1/conversations", "status=deleted").status == 422


@pytest.mark.parametrize("limit", [1, 3, 4, 200])
def test_messages_are_paged_oldest_first(door: ApiTestClient, limit: int) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key=uuid4().hex)
    for number in range(2):
        door.conversations.add_turn("acme", "c", a_turn(number), request_key=f"k{number}", title=None)
    found: list[str] = []
    query = f"limit={limit}"
    while True:
        page = door.get("/v1/conversations/c/messages", query).json
        found += [message["message_id"] for message in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit={limit}&cursor={page['next_cursor']}"

    assert found == [
        message.message_id for n in range(2) for message in (a_turn(n).user, a_turn(n).assistant)
    ]
