"""membus.core.event and identity: what may name somebody, and what in an event was said by the user."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from membus.core.clock import epoch_ms, from_epoch_ms
from membus.core.event import Event, RecordedEvent, ulid_at
from membus.core.identity import Id
from tests.factories import NOON, an_event, recorded

ID: TypeAdapter[str] = TypeAdapter(Id)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "a b",
        "a#b",
        "#",
        "a/b",
        "..",
        "a..b",
        "../x",
        "a\x00",
        "a\n",
        "\n",
        "a\u200b",
        "a\u202eb",
        "\ud800",
        "a%b",
        "a\\b",
        "<a>",
        "a" * 129,
        "é" * 129,
        ".",
        "a?b",
        "a&b",
        "a*",
    ],
)
def test_an_id_that_could_forge_a_key_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        ID.validate_python(wrong)


@pytest.mark.parametrize(
    "right", ["a", "ada@example.com", "user:1", "A-b_c.d~e=f+g|h", "é" * 128, "用户", "0", "a.b"]
)
def test_an_ordinary_id_passes(right: str) -> None:
    assert ID.validate_python(right) == right


@pytest.mark.parametrize("field", ["event_id", "tenant_id", "user_id", "agent_id", "session_id"])
def test_no_id_of_an_event_can_forge_a_key(field: str) -> None:
    with pytest.raises(ValidationError):
        Event.model_validate(an_event().model_dump() | {field: "a#U#b"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2},
        {"type": "sent"},
        {"type": "Message.Sent"},
        {"type": "a." + "b" * 63},
        {"payload": []},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-03-01T12:00:00"},
        {"origin": "nowhere"},
        {"occurred_at": "1969-12-31T23:59:59Z"},
        {"occurred_at": "0001-01-01T00:00:00Z"},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"occurred_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_an_envelope_that_cannot_be_one_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        an_event(**wrong)


def test_an_envelope_survives_the_bus() -> None:
    event = an_event(session_id="s", remember=False, origin="chat")

    assert Event.model_validate_json(event.model_dump_json(by_alias=True)) == event
    assert '"schema":1' in event.model_dump_json(by_alias=True)


def test_fields_a_newer_version_stored_do_no_harm() -> None:
    body = recorded().model_dump(by_alias=True) | {"mood": "good"}

    assert RecordedEvent.model_validate(body) == recorded()


@pytest.mark.parametrize(
    ("event_type", "payload", "speech"),
    [
        ("message.sent", {"text": "hi"}, "hi"),
        ("message.sent", {"text": "hi", "role": "user"}, "hi"),
        ("message.sent", {"text": "hi", "role": "assistant"}, None),
        ("message.sent", {"text": "hi", "role": "system"}, None),
        ("message.sent", {"text": "hi", "role": "tool"}, None),
        ("message.sent", {"text": "hi", "role": None}, "hi"),
        ("message.sent", {"text": "hi", "role": "USER"}, "hi"),
        ("message.sent", {"text": "hi", "role": "human"}, "hi"),
        ("message.sent", {"text": "hi", "role": "Assistant"}, None),
        ("message.sent", {"text": "hi", "role": "bot"}, None),
        ("feedback.given", {"text": "I am vegan"}, "I am vegan"),
        ("review.posted", {"text": "I live in Oslo", "stars": 4}, "I live in Oslo"),
        ("ticket.opened", {"body": "I moved to Porto"}, "I moved to Porto"),
        ("ticket.opened", {"body": " "}, None),
        ("order.placed", {"text": "I am vegan"}, None),
        ("message.sent", {"text": "hi", "role": ["user"]}, None),
        ("message.sent", {"text": ["hi"]}, None),
        ("message.sent", {"text": 5}, None),
        ("message.sent", {"text": " \n"}, None),
        ("message.sent", {"text": "\u200b\u2060"}, None),
        ("message.sent", {}, None),
        ("turn.recorded", {"user": {"text": "hi"}, "assistant": {"text": "I live in Rome"}}, "hi"),
        ("turn.recorded", {"assistant": {"text": "I live in Rome"}}, None),
        ("turn.recorded", {"user": {"text": "hi", "role": "assistant"}}, None),
        ("turn.recorded", {"user": "hi"}, None),
        ("turn.recorded", {"text": "hi"}, None),
        ("page.viewed", {"text": "hi"}, None),
        ("note.added", {"text": "I live in Rome"}, "I live in Rome"),
        ("note.added", {"text": "I live"}, None),
        ("memo.kept", {"body": "I live in Rome", "text": "and I like it"}, "and I like it\nI live in Rome"),
        ("memo.kept", {"text": "我住在北京"}, "我住在北京"),
        ("email.received", {"text": "I live in Rome"}, None),
        ("agent.replied", {"text": "I live in Rome"}, None),
        ("memory.imported", {"text": "I live in Rome"}, None),
        ("fact.corrected", {"text": "I live in Rome"}, None),
        ("payment.failed", {"note": "I live in Rome"}, None),
        ("note.added", {"text": "I live in Rome", "role": "system"}, None),
        ("chat.message", {"content": "hi"}, "hi"),
        ("message.sent", {"body": "hi"}, "hi"),
        ("search.performed", {"query": "shoes for my twins"}, "shoes for my twins"),
        ("search.performed", {"query": "shoes for small twins"}, None),
        ("profile.updated", {"role": "nurse", "bio": "I grow roses."}, "I grow roses."),
    ],
)
def test_only_the_users_own_words_are_read(
    event_type: str, payload: dict[str, Any], speech: str | None
) -> None:
    assert an_event(type=event_type, payload=payload).user_text == speech


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)), st.text(), st.text())  # noqa: DTZ001
def test_ulids_sort_by_time_and_are_the_events_own(moment: datetime, seed: str, other: str) -> None:
    assert ulid_at(moment, seed) == ulid_at(moment, seed)
    assert (ulid_at(moment, seed) == ulid_at(moment, other)) == (seed == other)
    assert ulid_at(moment, seed) < ulid_at(moment + timedelta(milliseconds=2), other)


@given(st.integers(0, 253_402_300_799_999))
def test_milliseconds_survive_a_round_trip(milliseconds: int) -> None:
    assert epoch_ms(from_epoch_ms(milliseconds)) == milliseconds


def test_an_events_owner_is_its_tenants_user() -> None:
    assert (an_event().owner.tenant, an_event().owner.user, an_event().occurred_at) == ("acme", "ada", NOON)
