"""membus.facts.validation.dates.

Words of time, resolved on the day and in the zone in which they were said.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.facts.candidates import Extractor, ReviewRequest, Speaker, Verdict
from membus.facts.observation import Observation
from membus.facts.validation.dates import date_value
from membus.facts.validation.validator import validate_candidate
from tests.factories import a_candidate, an_event, recorded

SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""1 March 2026 was one."""
AT_FIVE_BEHIND = datetime(2026, 2, 28, 21, tzinfo=timezone(timedelta(hours=-5)))
READER = Extractor(model="m", prompt_version="1")


def told(
    text: str,
    value: str,
    *,
    attribute: str = "home.city",
    at: datetime = SUNDAY,
    zone: str | None = None,
    **more: Any,
) -> Verdict:
    event = an_event(payload={"text": text} | more, occurred_at=at)
    candidate = a_candidate(attribute=attribute, value=value, quote=text)
    return validate_candidate(candidate, {"e1": recorded(event)}, READER, Speaker(timezone=zone))


def span(verdict: Verdict) -> tuple[str, str | None]:
    assert isinstance(verdict, Observation), verdict
    until = verdict.valid_until
    return f"{verdict.valid_from:%Y-%m-%d}", f"{until:%Y-%m-%d}" if until else None


@pytest.mark.parametrize(
    ("text", "value", "begins", "ends"),
    [
        ("I live in Lisbon.", "Lisbon", "2026-03-01", None),
        ("I've lived in Lisbon since last March.", "Lisbon", "2025-03-01", None),
        ("I've lived in Lisbon since March.", "Lisbon", "2026-03-01", None),
        ("I've lived in Lisbon since June.", "Lisbon", "2025-06-01", None),
        ("I've lived in Lisbon since 2019.", "Lisbon", "2019-01-01", None),
        ("I've lived in Lisbon since 4 December 2025.", "Lisbon", "2025-12-04", None),
        ("I've lived in Lisbon since December 4th, 2025.", "Lisbon", "2025-12-04", None),
        ("I've lived in Lisbon since November 5.", "Lisbon", "2025-11-05", None),
        ("I've lived in Lisbon since 2025-12-04.", "Lisbon", "2025-12-04", None),
        ("I moved to Lisbon yesterday.", "Lisbon", "2026-02-28", None),
        ("I moved to Lisbon two weeks ago.", "Lisbon", "2026-02-15", None),
        ("I moved to Lisbon 3 months ago.", "Lisbon", "2025-12-01", None),
        ("I moved to Lisbon last Tuesday.", "Lisbon", "2026-02-24", None),
        ("I moved to Lisbon on Sunday.", "Lisbon", "2026-02-22", None),
        ("I moved to Lisbon last week.", "Lisbon", "2026-02-16", None),
        ("I moved to Lisbon last year.", "Lisbon", "2025-01-01", None),
        ("I moved to Lisbon last summer.", "Lisbon", "2025-06-01", None),
        ("Last March I moved to Lisbon.", "Lisbon", "2025-03-01", None),
        ("Last March, I moved to Lisbon.", "Lisbon", "2025-03-01", None),
        ("I have lived in Lisbon for three years.", "Lisbon", "2023-03-01", None),
        ("I lived in Porto from 2015 to 2020.", "Porto", "2015-01-01", "2021-01-01"),
        ("I lived in Porto between May 2018 and June 2019.", "Porto", "2018-05-01", "2019-07-01"),
        ("I am in Berlin until Friday 6 March 2026.", "Berlin", "2026-03-01", "2026-03-07"),
        ("I am in Berlin until Friday.", "Berlin", "2026-03-01", "2026-03-07"),
        ("I am in Berlin until June.", "Berlin", "2026-03-01", "2026-07-01"),
        ("I live in Lisbon, yesterday it rained.", "Lisbon", "2026-03-01", None),
        ("I moved to Lisbon 999 years ago.", "Lisbon", "2026-03-01", None),
        ("I moved to Lisbon on 31 February.", "Lisbon", "2026-03-01", None),
    ],
)
def test_words_of_time_count_from_the_day_they_were_said(
    text: str, value: str, begins: str, ends: str | None
) -> None:
    assert span(told(text, value)) == (begins, ends)


@pytest.mark.parametrize(
    ("text", "value", "ends"),
    [
        ("We are flying to Rome on 4 December.", "flying to Rome on 4 December", "2026-12-05"),
        ("I'm going to call Linda on Friday.", "call Linda on Friday", "2026-03-07"),
        ("I want to finish by May.", "finish by May", "2026-06-01"),
        ("We are flying to Rome tomorrow.", "flying to Rome tomorrow", "2026-03-03"),
        ("I'll see my dentist in two weeks.", "see my dentist in two weeks", "2026-03-16"),
        ("I'm going to a conference next week.", "a conference next week", "2026-03-09"),
    ],
)
def test_a_plan_is_over_with_the_day_it_is_for(text: str, value: str, ends: str | None) -> None:
    assert span(told(text, value, attribute="plan")) == ("2026-03-01", ends)


@pytest.mark.parametrize(
    "text", ["I'm moving to Rome next month.", "In two weeks I move to Rome.", "I will live in Rome."]
)
def test_what_has_not_begun_waits(text: str) -> None:
    held = told(text, "Rome")

    assert isinstance(held, ReviewRequest)
    assert held.reason == "not_yet"


def test_a_date_that_is_the_value_dates_nothing() -> None:
    assert span(told("My birthday is 2 May 1991.", "2 May 1991", attribute="birthday")) == (
        "2026-03-01",
        None,
    )


@pytest.mark.parametrize(
    ("at", "zone", "more", "begins"),
    [
        # 1 March, 02:00 UTC: still 28 February in New York, and 1 March in Tokyo
        (SUNDAY.replace(hour=2), None, {}, "2026-02-28T00:00:00+00:00"),
        (SUNDAY.replace(hour=2), "America/New_York", {}, "2026-02-27T05:00:00+00:00"),
        (SUNDAY.replace(hour=2), "Asia/Tokyo", {}, "2026-02-27T15:00:00+00:00"),
        (SUNDAY.replace(hour=2), "Nowhere/Atlantis", {}, "2026-02-28T00:00:00+00:00"),
        (SUNDAY.replace(hour=2), "../../etc/passwd", {}, "2026-02-28T00:00:00+00:00"),
        (SUNDAY.replace(hour=2), "Asia/Tokyo", {"timezone": "America/New_York"}, "2026-02-27T05:00:00+00:00"),
        (AT_FIVE_BEHIND, "Asia/Tokyo", {}, "2026-02-27T05:00:00+00:00"),
    ],
)
def test_yesterday_is_the_speakers_yesterday(
    at: datetime, zone: str | None, more: dict[str, Any], begins: str
) -> None:
    verdict = told("I moved to Lisbon yesterday.", "Lisbon", at=at, zone=zone, **more)

    assert isinstance(verdict, Observation)
    assert verdict.valid_from == datetime.fromisoformat(begins)


def test_a_day_begins_when_the_clocks_of_that_day_say_so() -> None:
    after = datetime(2026, 3, 30, 10, tzinfo=UTC)  # summer time began in Lisbon the day before

    winter, summer = (
        told(f"I moved to Lisbon {when}.", "Lisbon", at=after, zone="Europe/Lisbon")
        for when in ("in January", "today")
    )

    assert isinstance(winter, Observation)
    assert isinstance(summer, Observation)
    assert winter.valid_from.astimezone(UTC).hour == 0
    assert summer.valid_from == after


def test_what_is_dated_back_still_holds_when_it_is_said() -> None:
    verdict = told("I've lived in Lisbon since 2019.", "Lisbon")

    assert isinstance(verdict, Observation)
    assert (verdict.said_at, verdict.last_known_at) == (SUNDAY, SUNDAY)


@given(st.text(max_size=60), st.integers(0, 80_000))
def test_no_words_of_time_are_a_defect(words: str, day: int) -> None:
    at = datetime(1971, 1, 1, tzinfo=UTC) + timedelta(days=day)
    told(f"I live in Lisbon since {words} until next {words} for 3 {words} years", "Lisbon", at=at)


@pytest.mark.parametrize(
    ("value", "dated"),
    [
        ("bake bread this winter", "bake bread from December 2026 to February 2027"),
        ("fly to Rome next month", "fly to Rome in December 2026"),
        ("run a race next year", "run a race in 2027"),
        ("see Tom this weekend", "see Tom on the weekend of 14 November 2026"),
        ("learn Czech", "learn Czech"),
    ],
)
def test_relative_words_of_a_goal_are_kept_with_the_days_they_meant(value: str, dated: str) -> None:
    said_at = datetime(2026, 11, 12, tzinfo=UTC)

    assert date_value(value, "goal", said_at, UTC) == dated
