"""The port SignalStore: a mark counts once, and every mark within the rule's window of it is seen."""

from datetime import timedelta

import pytest

from membus.core.identity import Owner
from membus.facts.ports import SignalStore
from membus.facts.rules import Signal, SignalMark
from membus.facts.rules import find_signals as signals_of
from tests.factories import NOON, a_server_error, recorded

WINDOW = timedelta(minutes=15)
BORDER = NOON
"""Noon is a multiple of five minutes since 1970: a border between two buckets."""


def a_signal(event_id: str, *, after: timedelta = timedelta(), status: int = 500) -> Signal:
    (signal,) = signals_of(recorded(a_server_error(event_id, at=BORDER + after, status=status)))
    return signal


def ids(marks: object) -> set[str]:
    assert isinstance(marks, set)
    return {mark.event_id for mark in marks if isinstance(mark, SignalMark)}


def test_signal_is_read_as_it_was_added(signals: SignalStore, owner: Owner) -> None:
    signal = a_signal("a|b", after=timedelta(milliseconds=123))

    assert set(signals.add_signal(owner, signal)) == {signal.mark}


def test_adding_a_signal_again_changes_nothing(signals: SignalStore, owner: Owner) -> None:
    once = signals.add_signal(owner, a_signal("e1"))

    assert signals.add_signal(owner, a_signal("e1")) == once


@pytest.mark.parametrize(
    "first", [timedelta(seconds=-1), timedelta(0), timedelta(seconds=1), -WINDOW, WINDOW]
)
@pytest.mark.parametrize("gap", [timedelta(0), timedelta(seconds=1), WINDOW - timedelta(seconds=1), WINDOW])
def test_signals_within_a_window_are_counted_across_partitions(
    signals: SignalStore, owner: Owner, first: timedelta, gap: timedelta
) -> None:
    signals.add_signal(owner, a_signal("e1", after=first))

    assert ids(signals.add_signal(owner, a_signal("e2", after=first + gap))) == {"e1", "e2"}
    assert ids(signals.add_signal(owner, a_signal("e1", after=first))) == {"e1", "e2"}


def test_signals_far_apart_are_not_counted_together(signals: SignalStore, owner: Owner) -> None:
    signals.add_signal(owner, a_signal("e1"))

    assert ids(signals.add_signal(owner, a_signal("e2", after=3 * WINDOW))) == {"e2"}


def test_other_groups_users_and_tenants_do_not_count(signals: SignalStore, owner: Owner) -> None:
    signals.add_signal(owner, a_signal("e1", status=503))
    signals.add_signal(Owner(tenant=owner.tenant, user=f"{owner.user}0"), a_signal("e2"))
    signals.add_signal(Owner(tenant=f"{owner.tenant}x", user=owner.user), a_signal("e3"))

    assert ids(signals.add_signal(owner, a_signal("e4"))) == {"e4"}


def test_late_signal_is_counted_with_its_nearest_on_both_sides(signals: SignalStore, owner: Owner) -> None:
    for minute in (0, 1, 2, 4, 5, 6):
        signals.add_signal(owner, a_signal(f"e{minute}", after=timedelta(seconds=10 * minute)))

    assert ids(signals.add_signal(owner, a_signal("e3", after=timedelta(seconds=30)))) == {
        "e1",
        "e2",
        "e3",
        "e4",
        "e5",
    }


def test_expired_signal_does_not_count(signals: SignalStore, owner: Owner) -> None:
    late = recorded(a_server_error("e2", at=BORDER), learned_at=BORDER + timedelta(days=30))
    signals.add_signal(owner, a_signal("e1"))

    assert ids(signals.add_signal(owner, signals_of(late)[0])) == {"e2"}
