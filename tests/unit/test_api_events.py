"""POST /v1/events: each event is checked on its own, completed with the key's tenant, durable or rejected."""

import json
from datetime import timedelta
from typing import Any

import pytest

from membus.core.event import Event
from membus.events.sizes import EVENT_TOO_LARGE
from tests.factories import NOON
from tests.support.api_client import ApiTestClient, ApiTestResponse

SAID = {"user_id": "ada", "type": "message.sent", "payload": {"text": "hi"}}
VIEWED = {"user_id": "ada", "type": "page.viewed", "payload": {"path": "/"}}


def post(door: ApiTestClient, *events: Any, key: str | None = None) -> ApiTestResponse:
    return door.post("/v1/events", {"events": list(events)}, key=key)


def test_event_is_published_with_its_missing_fields_added(door: ApiTestClient) -> None:
    answer = post(door, SAID)

    (event,) = door.bus.published
    assert answer.status == 202
    assert answer.json == {"accepted": [{"index": 0, "event_id": event.event_id}], "rejected": []}
    assert event == Event(
        event_id=event.event_id,
        tenant_id="acme",
        user_id="ada",
        agent_id="default",
        type="message.sent",
        occurred_at=NOON,
        payload={"text": "hi"},
        origin="api",
        position=0,
    )


def test_fields_that_a_producer_names_are_kept(door: ApiTestClient) -> None:
    full = SAID | {
        "event_id": "e1",
        "agent_id": "guide",
        "session_id": "s1",
        "occurred_at": "2026-01-02T03:04:05+06:00",
        "payload": {"text": "hi", "deep": [1, 2.5, {"ü": None}]},
    }

    assert post(door, full).json["accepted"] == [{"index": 0, "event_id": "e1"}]

    (event,) = door.bus.published
    assert (event.event_id, event.agent_id, event.session_id, event.remember) == ("e1", "guide", "s1", True)
    assert event.occurred_at.isoformat() == "2026-01-02T03:04:05+06:00"
    assert event.payload == full["payload"]


def test_events_without_ids_get_different_ones(door: ApiTestClient) -> None:
    post(door, SAID, SAID)
    post(door, SAID)

    assert len({event.event_id for event in door.bus.published}) == 3


def test_ids_sort_in_order_of_arrival_within_one_moment(door: ApiTestClient) -> None:
    told = [
        SAID | {"occurred_at": "2026-01-02T03:04:05Z", "payload": {"text": str(number)}}
        for number in range(20)
    ]
    post(door, *told)

    by_id = sorted(door.bus.published, key=lambda event: event.event_id)
    assert [event.payload["text"] for event in by_id] == [str(number) for number in range(20)]


def test_a_retried_request_names_the_same_events(door: ApiTestClient) -> None:
    first = post(door, SAID, VIEWED, key="k1")
    door.clock.advance(timedelta(minutes=1))

    assert post(door, SAID, VIEWED, key="k1").json == first.json
    assert len({each["event_id"] for each in first.json["accepted"]}) == 2


def test_reused_key_loses_no_events(door: ApiTestClient) -> None:
    one, other = post(door, SAID, key="k1").json, post(door, VIEWED, key="k1").json

    assert one["accepted"][0]["event_id"] != other["accepted"][0]["event_id"]


def test_key_of_another_tenant_names_other_events(door: ApiTestClient) -> None:
    mine = post(door, SAID, key="k1").json
    door.tenant = "zeta"

    assert post(door, SAID, key="k1").json != mine
    assert [event.tenant_id for event in door.bus.published] == ["acme", "zeta"]


BAD: list[tuple[Any, str, str]] = [
    ("text", "invalid", "event"),
    (None, "invalid", "event"),
    ({}, "invalid", "user_id"),
    (SAID | {"user_id": "a#b"}, "invalid", "user_id"),
    (SAID | {"user_id": ".."}, "invalid", "user_id"),
    (SAID | {"user_id": "a\x00"}, "invalid", "user_id"),
    (SAID | {"user_id": "x" * 2049}, "invalid", "user_id"),
    (SAID | {"user_id": 5}, "invalid", "user_id"),
    (SAID | {"event_id": "a/b"}, "invalid", "event_id"),
    (SAID | {"agent_id": ""}, "invalid", "agent_id"),
    (SAID | {"session_id": "a b"}, "invalid", "session_id"),
    (SAID | {"type": "sent"}, "invalid", "type"),
    (SAID | {"type": "Message.sent"}, "invalid", "type"),
    (SAID | {"type": "message.sent\n"}, "invalid", "type"),
    (SAID | {"occurred_at": "2026-03-01T12:00:00"}, "invalid", "occurred_at"),
    (SAID | {"occurred_at": 1772366400}, "invalid", "occurred_at"),
    (SAID | {"occurred_at": "1969-12-31T23:59:59Z"}, "invalid", "occurred_at"),
    (SAID | {"occurred_at": "9999-12-31T23:59:59-14:00"}, "invalid", "occurred_at"),
    (SAID | {"payload": []}, "invalid", "payload"),
    (SAID | {"remember": "maybe"}, "invalid", "remember"),
    (SAID | {"origin": "chat"}, "invalid", "origin"),
    (SAID | {"tenant_id": "zeta"}, "invalid", "tenant_id"),
    (SAID | {"payload": {"text": ""}}, "invalid", "payload.text"),
    (SAID | {"payload": {"text": " \n\t"}}, "invalid", "payload.text"),
    (SAID | {"payload": {"text": "\u200b\u2060"}}, "invalid", "payload.text"),
    (SAID | {"payload": {"text": "\x00\x07"}}, "invalid", "payload.text"),
    (SAID | {"payload": {"text": ["hi"]}}, "invalid", "payload.text"),
    (SAID | {"payload": {}}, "invalid", "payload.text"),
    (SAID | {"payload": {"text": "x" * 200_000}}, "payload_too_large", "200000"),
    (SAID | {"payload": {"text": "語" * 70_000}}, "payload_too_large", "200000"),
]


@pytest.mark.parametrize(("event", "code", "words"), BAD)
def test_invalid_event_is_named_and_does_not_reject_the_others(
    door: ApiTestClient, event: Any, code: str, words: str
) -> None:
    answer = post(door, SAID, event, VIEWED)

    (rejected,) = answer.json["rejected"]
    assert (answer.status, rejected["index"], rejected["code"]) == (202, 1, code)
    assert words in rejected["detail"]
    assert [each["index"] for each in answer.json["accepted"]] == [0, 2]
    assert [each.type for each in door.bus.published] == ["message.sent", "page.viewed"]


@pytest.mark.parametrize(("event", "code", "words"), BAD)
def test_batch_of_invalid_events_is_rejected(door: ApiTestClient, event: Any, code: str, words: str) -> None:
    answer = post(door, event)

    assert (answer.status, answer.code) == (413 if code == "payload_too_large" else 422, code)
    assert words in answer.json["rejected"][0]["detail"]
    assert door.bus.published == []


def test_batch_invalid_for_different_reasons_has_the_code_invalid(door: ApiTestClient) -> None:
    answer = post(door, {}, SAID | {"payload": {"text": "x" * 200_000}})

    assert (answer.status, answer.code) == (422, "invalid")
    assert [each["code"] for each in answer.json["rejected"]] == ["invalid", "payload_too_large"]


def test_event_that_no_queue_takes_is_too_large_and_not_to_be_sent_again(door: ApiTestClient) -> None:
    door.bus.refusing = {"*": EVENT_TOO_LARGE}

    answer = post(door, SAID)

    assert (answer.status, answer.code) == (413, "payload_too_large")
    assert "again" not in answer.json["rejected"][0]["detail"]


def test_event_that_the_bus_rejects_is_not_accepted(door: ApiTestClient) -> None:
    door.bus.refusing = {"e1": "InternalFailure"}

    answer = post(door, {}, *(SAID | {"event_id": f"e{number}"} for number in range(3)))

    assert answer.status == 202
    assert [(each["index"], each["event_id"]) for each in answer.json["accepted"]] == [(1, "e0"), (3, "e2")]
    assert [(each["index"], each["code"]) for each in answer.json["rejected"]] == [
        (0, "invalid"),
        (2, "unavailable"),
    ]
    assert "e1" in answer.json["rejected"][1]["detail"]


def test_bus_that_accepts_no_event_is_unavailable(door: ApiTestClient) -> None:
    door.bus.refusing = {"*": "InternalFailure"}

    answer = post(door, SAID, VIEWED)

    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.headers["retry-after"]
    assert len(answer.json["rejected"]) == 2


def test_copies_in_one_request_are_one_event(door: ApiTestClient) -> None:
    told = SAID | {"event_id": "e1", "occurred_at": NOON.isoformat()}
    other = SAID | {"user_id": "bob"}

    answer = post(door, told, other, told, told | {"payload": {"text": "else"}}, told | {"user_id": "bob"})

    copies = [
        {key: each.get(key) for key in ("index", "duplicate", "differs")} for each in answer.json["accepted"]
    ]
    assert [tuple(each.values()) for each in copies] == [
        (0, None, None),
        (1, None, None),
        (2, True, None),
        (3, True, True),
        (4, None, None),
    ]
    assert [(each.user_id, each.payload["text"]) for each in door.bus.published] == [
        ("ada", "hi"),
        ("bob", "hi"),
        ("bob", "hi"),
    ]


def test_a_copy_shares_what_became_of_its_event(door: ApiTestClient) -> None:
    blank = SAID | {"event_id": "e1", "payload": {"text": " "}}
    door.bus.refusing = {"e2": "Throttled"}
    away = SAID | {"event_id": "e2"}

    answer = post(door, SAID, blank, blank, away, away)

    assert [(each["index"], each["code"]) for each in answer.json["rejected"]] == [
        (1, "invalid"),
        (2, "invalid"),
        (3, "unavailable"),
        (4, "unavailable"),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        '{"wei": 123456789012345678901234567890}',
        '{"text": "\\ud800"}',
        '{"x": 1e999}',
        '{"x": ' + "[" * 62 + "]" * 62 + "}",
    ],
)
def test_a_value_that_cannot_be_stored_rejects_its_event_alone(door: ApiTestClient, odd: str) -> None:
    body = f'{{"events": [{json.dumps(SAID)}, {{"user_id": "ada", "type": "a.b", "payload": {odd}}}]}}'

    answer = door.post("/v1/events", body)

    assert answer.status == 202
    assert [each["index"] for each in answer.json["accepted"]] == [0]
    assert [each["index"] for each in answer.json["rejected"]] == [1]
