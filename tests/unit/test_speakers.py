"""membus.facts.validation.validator: the zone of a date follows from the events, not from their order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from membus.core.event import Event
from tests.factories import ADA, NOON, a_candidate, an_event, said
from tests.support.extraction import Extraction, proposing

NIGHT = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""Monday in UTC, Sunday in New York, noon in Tokyo."""
MOVED = said("I moved to Lisbon yesterday.", "moved", occurred_at=NIGHT)


def zone(name: str, event_id: str, *, at: datetime) -> Event:
    return said(f"My time zone is {name} by the way.", event_id, occurred_at=at)


NEW_YORK = zone("America/New_York", "west", at=NIGHT - timedelta(hours=5))
TOKYO = zone("Asia/Tokyo", "east", at=NIGHT + timedelta(hours=5))


def extraction() -> Extraction:
    west, east = (
        a_candidate(
            event_id=event_id, attribute="timezone", value=name, quote=f"My time zone is {name}"
        ).model_dump()
        for event_id, name in (("west", "America/New_York"), ("east", "Asia/Tokyo"))
    )
    moved = a_candidate(event_id="moved", quote="I moved to Lisbon yesterday").model_dump()
    return Extraction(proposing(west=west, east=east, moved=moved))


def moved_at(learning: Extraction) -> str:
    return learning.facts.get_fact(ADA, "home.city").valid_from.astimezone(UTC).isoformat()


@pytest.mark.parametrize("order", list(permutations([NEW_YORK, MOVED, TOKYO])))
def test_in_one_batch_every_order_counts_days_by_the_zone_of_that_time(order: tuple[Event, ...]) -> None:
    learning = extraction()

    learning.send(*order)

    assert moved_at(learning) == "2026-02-28T05:00:00+00:00"


@pytest.mark.parametrize(
    "batches", [[[NEW_YORK], [MOVED], [TOKYO]], [[TOKYO, NEW_YORK], [MOVED]], [[TOKYO], [NEW_YORK, MOVED]]]
)
def test_a_zone_of_later_is_no_zone_of_before_however_the_batches_fall(batches: list[list[Event]]) -> None:
    learning = extraction()

    for batch in batches:
        learning.send(*batch)

    assert moved_at(learning) == "2026-02-28T05:00:00+00:00"


def test_a_zone_set_by_hand_in_the_same_batch_counts_too() -> None:
    learning = extraction()
    by_hand = an_event(
        "c1",
        type="fact.corrected",
        payload={"key": "timezone", "value": "America/New_York"},
        occurred_at=NOON,
    )

    learning.send(MOVED, by_hand)

    assert moved_at(learning) == "2026-02-28T05:00:00+00:00"
