"""membus.facts.corrections: what a person changed by hand, read the same way by whoever reads it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from membus.core.event import Event, RecordedEvent
from membus.facts.attributes import fact_key
from membus.facts.corrections import (
    Correction,
    correction_event,
    kind_of_key,
    next_correction_time,
    observe_correction,
)
from membus.facts.fact import fold
from membus.facts.observation import Observation, Trust
from membus.facts.rules import needs_extraction
from tests.factories import ADA, NOON, an_event, an_observation, recorded

DAY = timedelta(days=1)
LISBON = Correction(key="home.city", value="Lisbon")


def by_hand(type_: str = "fact.corrected", **payload: Any) -> RecordedEvent:
    return recorded(an_event(type=type_, payload=payload))


def read(correction: Correction) -> Observation:
    (seen,) = observe_correction(correction_event(correction, ADA, event_id="c1", at=NOON))
    return seen


def test_a_correction_is_the_word_that_nothing_outranks() -> None:
    seen = read(LISBON)

    assert (seen.key, seen.value, seen.kind) == ("home.city", "Lisbon", "place")
    assert (seen.trust, seen.confidence) == (Trust.CORRECTED, 1.0)
    assert (seen.valid_from, seen.learned_at) == (NOON, NOON)
    assert (seen.provenance.event_id, seen.provenance.event_type, seen.provenance.origin) == (
        "c1",
        "fact.corrected",
        "api",
    )
    assert (seen.provenance.rule, seen.provenance.quote) == ("correction", "set home.city to Lisbon")


def test_a_correction_may_say_its_kind_and_since_when() -> None:
    seen = read(Correction(key="home.city", value="Lisbon", kind="plan", valid_from=NOON - DAY))

    assert (seen.kind, seen.valid_from, seen.learned_at) == ("plan", NOON - DAY, NOON)


def test_a_retraction_has_no_value_and_is_true_from_now_on() -> None:
    seen = read(Correction(key="home.city", valid_from=NOON - DAY))

    assert (seen.value, seen.valid_from, seen.provenance.quote) == (None, NOON, "took back home.city")
    assert seen.provenance.event_type == "fact.retracted"


@pytest.mark.parametrize("correction", [LISBON, Correction(key="home.city", kind="plan")])
def test_who_reads_the_event_again_learns_the_same(correction: Correction) -> None:
    event = correction_event(correction, ADA, event_id="c1", at=NOON + timedelta(microseconds=1))
    again = RecordedEvent.model_validate_json(event.model_dump_json(by_alias=True))

    assert observe_correction(again) == observe_correction(event)
    assert needs_extraction(again.event)


@pytest.mark.parametrize(
    "event",
    [
        by_hand("message.sent", key="home.city", value="Lisbon"),
        by_hand(),
        by_hand(key="home.city"),
        by_hand(key="home.city", value=None),
        by_hand(key="home#city", value="Lisbon"),
        by_hand(key="k", value=7),
        by_hand(key="Home.City", value="Lisbon"),
        by_hand(key="home.city", value=" \u200b"),
        by_hand(key="k", value="x" * 1001),
        by_hand(key="k", value="v", kind="gossip"),
        by_hand(key="k", value="v", valid_from="1960-01-01T00:00:00Z"),
        by_hand("fact.retracted", key=""),
        by_hand("fact.recorded", key="home.city", value="Lisbon"),
    ],
)
def test_what_is_no_correction_teaches_nothing(event: RecordedEvent) -> None:
    assert observe_correction(event) == []


@pytest.mark.parametrize(
    "key", ["Home.City", "home#city", "", "a b", "é" * 201, "語" * 134, ".city", "home/city"]
)
def test_a_key_that_no_fact_can_have_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        Correction(key=key, value="x")


@example("likes", "\uab70")
@given(
    st.sampled_from(["home.city", "likes", "setting.theme", "family.sister", "frustrated_by"]),
    st.text(max_size=90),
)
def test_every_key_that_the_extractor_makes_can_be_corrected(attribute: str, value: str) -> None:
    key = fact_key(attribute, value)

    if key:
        assert Correction(key=key, value="x").key == key


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("home.city", "place"),
        ("likes.tea", "preference"),
        ("setting.theme", "setting"),
        ("name", "identity"),
        ("crm", "identity"),
    ],
)
def test_a_key_says_what_kind_of_fact_it_holds(key: str, kind: str) -> None:
    assert kind_of_key(key) == kind


def test_a_late_clock_cannot_undo_the_order_of_what_people_said() -> None:
    first = an_observation("Porto", trust=Trust.CORRECTED, valid_from=NOON + DAY)
    stated = an_observation("Rome", event_id="e2", valid_from=NOON + 9 * DAY)

    at = next_correction_time([first, stated], NOON)
    (second,) = observe_correction(correction_event(LISBON, ADA, event_id="c1", at=at))
    fact = fold([first, stated, second])

    assert at > first.learned_at
    assert fact is not None
    assert fact.value == "Lisbon"


def test_a_correction_is_made_after_everything_that_it_corrects() -> None:
    heard = an_observation(valid_from=NOON + DAY)

    assert next_correction_time([], NOON) == next_correction_time(
        [an_observation(valid_from=NOON - DAY)], NOON
    )
    assert next_correction_time([heard], NOON) > heard.learned_at


def test_a_correction_event_is_an_event_as_any_other() -> None:
    event = correction_event(LISBON, ADA, event_id="c1", at=NOON).event

    assert Event.model_validate_json(event.model_dump_json(by_alias=True)) == event
    assert event.payload == {"key": "home.city", "value": "Lisbon"}
