"""scripts/demo/week.jsonl: the events of the bundled week."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from localstack.home import Stack
from membus.core.event import Event
from scripts.demo.__main__ import WEEK, main
from scripts.demo.sources import read_source

EVENTS = [Event.model_validate({"tenant_id": "demo"} | event) for event in read_source(WEEK).events]


def test_week_has_valid_events_of_one_user_with_sessions() -> None:
    assert {event.user_id for event in EVENTS} == {"mia"}
    assert all(event.session_id for event in EVENTS)


def test_week_has_about_120_events_of_every_type_over_seven_days() -> None:
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


def test_week_has_repeated_and_late_events() -> None:
    copies = Counter(event.event_id for event in EVENTS)
    moments = [event.occurred_at for event in EVENTS]

    assert sum(count > 1 for count in copies.values()) == 3
    assert moments != sorted(moments)


def test_week_has_three_server_errors_within_five_minutes() -> None:
    errors: list[datetime] = [event.occurred_at for event in EVENTS if event.payload.get("status") == 500]

    assert len(errors) == 3
    assert max(errors) - min(errors) <= timedelta(minutes=5)


def test_interrupt_returns_130_and_says_how_to_stop_the_stack(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted() -> Stack:
        raise KeyboardInterrupt

    assert main([], start=interrupted) == 130
    assert "`make down` stops it" in capsys.readouterr().err


def test_unreadable_file_ends_the_demo_before_the_stack_is_started() -> None:
    assert main(["--input", "no-such-file"]) == 1
