"""membus.facts.validation.dates: what dates a fact, and what only looks like a date."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from membus.facts.candidates import Extractor
from membus.facts.observation import Observation
from membus.facts.validation.dates import find_zone
from membus.facts.validation.validator import validate_candidate
from tests.factories import a_candidate, an_event, recorded

SAID_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
TODAY = "2026-11-30"


def learned(text: str, attribute: str, value: str) -> Observation:
    event = an_event(payload={"text": text}, occurred_at=SAID_AT)
    verdict = validate_candidate(
        a_candidate(attribute=attribute, value=value, quote=text),
        {"e1": recorded(event, learned_at=SAID_AT + timedelta(seconds=1))},
        Extractor(model="m", prompt_version="7"),
    )
    assert isinstance(verdict, Observation), verdict
    return verdict


@pytest.mark.parametrize(
    ("text", "value", "since"),
    [
        ("I moved to Porto on Nov 5, 2025", "Porto", "2025-11-05"),
        ("I moved to Porto on Sept. 3rd, 2024", "Porto", "2024-09-03"),
        ("I've lived in Porto since 12/15/2025", "Porto", "2025-12-15"),
        ("I've lived in Porto since 15/12/2025", "Porto", "2025-12-15"),
        ("I've lived in Porto since 15.12.2025", "Porto", "2025-12-15"),
        ("I've lived in Porto since 2025/12/15", "Porto", "2025-12-15"),
        ("I've lived in Porto since 03/04/2025", "Porto", TODAY),
        ("I moved to Porto half a year ago", "Porto", "2026-05-30"),
        ("I moved to Porto a year and a half ago", "Porto", "2025-05-30"),
        ("Vivo en Madrid desde marzo de 2021", "Madrid", "2021-03-01"),
        ("J'habite à Lyon depuis février 2020", "Lyon", "2020-02-01"),
        ("Ich wohne seit Oktober 2019 in Köln", "Köln", "2019-10-01"),
        ("Moro em Lisboa desde janeiro de 2018", "Lisboa", "2018-01-01"),
        ("I've lived in Oslo since 2019", "Oslo", "2019-01-01"),
        ("I rent a flat in Berlin for 1950 EUR", "Berlin", TODAY),
        ("I live in Berlin, room 2010", "Berlin", TODAY),
        ("I live in Oslo and run about 2000 meters", "Oslo", TODAY),
        ("I live next to June in Oslo", "Oslo", TODAY),
        ("I have lived in Oslo for 999 years", "Oslo", TODAY),
    ],
)
def test_a_fact_begins_when_the_words_say_so_and_no_number_is_a_date_by_itself(
    text: str, value: str, since: str
) -> None:
    assert f"{learned(text, 'home.city', value).valid_from:%Y-%m-%d}" == since


@pytest.mark.parametrize("amount", ["2000 dollars", "2030 euros", "€2030"])
def test_the_amount_of_a_goal_is_no_year(amount: str) -> None:
    goal = learned(f"My goal is to save {amount}", "goal", f"save {amount}")

    assert (f"{goal.valid_from:%Y-%m-%d}", goal.valid_until) == (TODAY, None)


@pytest.mark.parametrize(
    ("text", "value", "day"),
    [
        ("My exam is on 5 January", "exam", "2027-01-05"),
        ("My wedding is on June 12", "wedding", "2027-06-12"),
        ("My exam was on 5 January", "exam", "2026-01-05"),
    ],
)
def test_an_event_that_is_to_come_is_on_the_next_day_of_its_name(text: str, value: str, day: str) -> None:
    assert f"{learned(text, 'event', value).valid_from:%Y-%m-%d}" == day


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("america/los_angeles", -8),
        ("PST", -8),
        ("Pacific Time", -8),
        ("UTC-8", -8),
        ("-08:00", -8),
        ("GMT+2", 2),
        ("Europe/Oslo", 1),
        ("CET", 1),
    ],
)
def test_a_zone_is_found_by_name_abbreviation_or_offset(name: str, hours: int) -> None:
    assert SAID_AT.astimezone(find_zone(name)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["Nowhere/Land", "UTC+20", "", "half past"])
def test_an_unknown_zone_is_none(name: str) -> None:
    assert find_zone(name) is None


def test_a_learned_zone_counts_the_speakers_days() -> None:
    assert find_zone("Pacific Time") == ZoneInfo("America/Los_Angeles")
