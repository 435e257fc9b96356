"""membus/domain/reconciliation: every event that was recorded is hot, cold or both, or its day is named."""

from datetime import date

from scripts.tier.reconciliation import Reconciliation

TODAY = date(2026, 11, 20)


def a_day(**where: str) -> Reconciliation:
    """Return a report of one day; each store's letters are the events it holds."""
    report = Reconciliation()
    for event_id in where.get("recorded", ""):
        report.add_recorded("guide", TODAY, event_id)
    for event_id in where.get("hot", ""):
        report.add_hot("guide", TODAY, event_id, waiting=event_id in where.get("waiting", ""))
    report.add_cold("guide", TODAY, where.get("cold", ""))
    return report


def test_a_day_adds_up_when_every_event_is_somewhere() -> None:
    (line,) = a_day(recorded="abcd", hot="abc", waiting="ab", cold="cd").list_lines()

    assert (line.agent, line.day, line.found.is_sound) == ("guide", TODAY, True)


def test_an_event_that_is_nowhere_is_missing() -> None:
    (line,) = a_day(recorded="ab", hot="a", waiting="a").list_lines()

    assert line.found.missing_ids == {"b"}
    assert not line.found.is_sound


def test_a_hot_episode_that_will_expire_without_a_copy_is_told_of_before_it_does() -> None:
    (line,) = a_day(recorded="ab", hot="ab", waiting="a").list_lines()

    assert line.found.unprotected_ids == {"b"}
    assert not line.found.is_sound


def test_an_episode_of_an_event_that_nobody_recorded_is_told_of() -> None:
    (line,) = a_day(recorded="a", hot="a", waiting="a", cold="x").list_lines()

    assert line.found.unknown_ids == {"x"}
    assert not line.found.is_sound


def test_lines_come_by_agent_and_day() -> None:
    report = a_day(recorded="a")
    report.add_recorded("b-agent", date(2026, 1, 1), "x")
    report.add_recorded("guide", date(2026, 1, 1), "y")

    assert [(line.agent, line.day.month) for line in report.list_lines()] == [
        ("b-agent", 1),
        ("guide", 1),
        ("guide", 11),
    ]
