"""scripts/tier/reconciliation: every recorded event is hot, archived or both, or its day is reported."""

from datetime import date

from scripts.tier.reconciliation import Reconciliation

TODAY = date(2026, 11, 20)


def a_day(**where: str) -> Reconciliation:
    """Return a report of one day; the letters of a store are the events in it."""
    report = Reconciliation()
    for event_id in where.get("recorded", ""):
        report.add_recorded("guide", TODAY, event_id)
    for event_id in where.get("hot", ""):
        report.add_hot("guide", TODAY, event_id, waiting=event_id in where.get("waiting", ""))
    report.add_cold("guide", TODAY, where.get("cold", ""))
    return report


def test_day_is_sound_if_every_event_has_an_episode() -> None:
    (line,) = a_day(recorded="abcd", hot="abc", waiting="ab", cold="cd").list_lines()

    assert (line.agent, line.day, line.found.is_sound) == ("guide", TODAY, True)


def test_event_without_episode_is_missing() -> None:
    (line,) = a_day(recorded="ab", hot="a", waiting="a").list_lines()

    assert line.found.missing_ids == {"b"}
    assert not line.found.is_sound


def test_hot_episode_that_expires_without_a_copy_is_unprotected() -> None:
    (line,) = a_day(recorded="ab", hot="ab", waiting="a").list_lines()

    assert line.found.unprotected_ids == {"b"}
    assert not line.found.is_sound


def test_episode_without_recorded_event_is_unknown() -> None:
    (line,) = a_day(recorded="a", hot="a", waiting="a", cold="x").list_lines()

    assert line.found.unknown_ids == {"x"}
    assert not line.found.is_sound


def test_lines_are_sorted_by_agent_and_day() -> None:
    report = a_day(recorded="a")
    report.add_recorded("b-agent", date(2026, 1, 1), "x")
    report.add_recorded("guide", date(2026, 1, 1), "y")

    assert [(line.agent, line.day.month) for line in report.list_lines()] == [
        ("b-agent", 1),
        ("guide", 1),
        ("guide", 11),
    ]
