"""scripts/demo/week.jsonl: the tokens that extraction of the week costs, and what rules derive without."""

from datetime import timedelta

from membus.core.identity import Owner
from membus.facts.rules import needs_model
from tests.support.extraction import Extraction, shown
from tests.unit.test_demo_week import EVENTS

MIA = Owner(tenant="demo", user="mia")


def the_week() -> Extraction:
    extraction = Extraction()
    for start in range(0, len(EVENTS), 10):
        assert extraction.send(*EVENTS[start : start + 10]) == []
    return extraction


def test_at_least_80_percent_of_events_cost_no_tokens() -> None:
    read = {each["event_id"] for prompt in the_week().prompts() for each in shown(prompt)}
    happened = {event.event_id for event in EVENTS}

    assert 1 - len(read) / len(happened) >= 0.8
    assert read == {event.event_id for event in EVENTS if needs_model(event)}


def test_rules_alone_derive_what_mia_does() -> None:
    known = the_week().known(MIA)

    assert {
        "setting.theme": "dark",
        "frustrated_by.error-500": "HTTP 500 on /checkout, 3 times",
        "activity.browses.recipes": "recipes",
        "activity.checkout": "finished",
        "activity.visits.comes-back-several-times-a-week": "comes back several times a week",
        "activity.device.phone": "phone",
    }.items() <= known.items()


def test_failed_checkout_stays_unfinished_until_the_evening() -> None:
    told = the_week().facts.list_observations(MIA, "activity.checkout")
    left, *_, finished = sorted(told, key=lambda seen: seen.valid_from)

    assert [left.value, finished.value] == ["left unfinished", "finished"]
    assert timedelta(hours=7) < finished.valid_from - left.valid_from < timedelta(hours=8)
