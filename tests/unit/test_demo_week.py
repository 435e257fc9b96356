"""scripts/demo: the bundled week holds what the demo says of it."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from localstack.home import Stack
from membus.core.event import Event
from scripts.demo.__main__ import WEEK, main
from scripts.demo.sources import read_source

EVENTS = [Event.model_validate({"tenant_id": "demo"} | event) for event in read_source(WEEK).events]


def test_every_event_is_valid_has_an_id_a_session_and_a_time_and_is_the_same_users() -> None:
    assert {event.user_id for event in EVENTS} == {"mia"}
    assert all(event.session_id for event in EVENTS)


def test_it_spans_a_week_of_about_a_hundred_and_twenty_events_of_every_kind() -> None:
    moments = [event.occurred_at for event in EVENTS]

    assert timedelta(days=6) < max(moments) - min(moments) < timedelta(days=7)
    assert 110 <= len(EVENTS) <= 140
    assert {event.type for event in EVENTS} == {
        "message.sent",
        "page.viewed",
        "element.clicked",
        "setting.changed",
        "error.shown",
        "session.started",
        "session.ended",
    }


def test_some_events_come_twice_and_some_late_on_purpose() -> None:
    copies = Counter(event.event_id for event in EVENTS)
    moments = [event.occurred_at for event in EVENTS]

    assert sum(count > 1 for count in copies.values()) == 3
    assert moments != sorted(moments)


def test_three_server_errors_fall_into_five_minutes() -> None:
    errors: list[datetime] = [event.occurred_at for event in EVENTS if event.payload.get("status") == 500]

    assert len(errors) == 3
    assert max(errors) - min(errors) <= timedelta(minutes=5)


def test_ctrl_c_ends_with_its_own_code_and_says_how_to_stop_the_stack(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted() -> Stack:
        raise KeyboardInterrupt

    assert main([], start=interrupted) == 130
    assert "`make down` stops it" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_ends_the_demo_before_anything_is_started() -> None:
    assert main(["--input", "no-such-file"]) == 1
