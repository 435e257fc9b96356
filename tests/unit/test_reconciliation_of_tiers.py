"""membus/domain/reconciliation: every event that was recorded is hot, cold or both, or its day is named."""

from datetime import date

from scripts.tier.reconciliation import Reconciliation

TODAY = date(2026, 11, 20)


def a_day(**where: str) -> Reconciliation:
    """Return a report of one day; each store's letters are the events it holds."""
    report = Reconciliation()
    for event_id in where.get("recorded", ""):
        report.recorded("guide", TODAY, event_id)
    for event_id in where.get("hot", ""):
        report.hot("guide", TODAY, event_id, waiting=event_id in where.get("waiting", ""))
    report.cold("guide", TODAY, where.get("cold", ""))
    return report


def test_a_day_adds_up_when_every_event_is_somewhere() -> None:
    (line,) = a_day(recorded="abcd", hot="abc", waiting="ab", cold="cd").lines()

    assert (line.agent, line.day, line.found.sound) == ("guide", TODAY, True)


def test_an_event_that_is_nowhere_is_missing() -> None:
    (line,) = a_day(recorded="ab", hot="a", waiting="a").lines()

    assert line.found.missing == {"b"}
    assert not line.found.sound


def test_a_hot_episode_that_will_expire_without_a_copy_is_told_of_before_it_does() -> None:
    (line,) = a_day(recorded="ab", hot="ab", waiting="a").lines()

    assert line.found.unvouched == {"b"}
    assert not line.found.sound


def test_an_episode_of_an_event_that_nobody_recorded_is_told_of() -> None:
    (line,) = a_day(recorded="a", hot="a", waiting="a", cold="x").lines()

    assert line.found.unknown == {"x"}
    assert not line.found.sound


def test_lines_come_by_agent_and_day() -> None:
    report = a_day(recorded="a")
    report.recorded("b-agent", date(2026, 1, 1), "x")
    report.recorded("guide", date(2026, 1, 1), "y")

    assert [(line.agent, line.day.month) for line in report.lines()] == [
        ("b-agent", 1),
        ("guide", 1),
        ("guide", 11),
    ]
