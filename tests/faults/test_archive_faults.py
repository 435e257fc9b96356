"""functions/archive under crashes and concurrent runs: a copy too many, never an episode too few."""

from datetime import timedelta

import pytest

from tests.factories import ADA, NOON, an_event, recorded
from tests.fakes.crashing import Death
from tests.support.archive_tiers import BUCKET, DAYS, ArchiveSetup, calls, fill, ids, make_archive_setup
from tests.support.budgets import sample

TWO_OBJECTS = DAYS[:3]
"""Two days, one of them with two episodes for each user: what a crash may come between, and no more of it."""


def test_archived_episodes_are_unchanged_after_hot_copies_expire() -> None:
    with make_archive_setup() as made:
        everything = fill(made)
        before = made.walk(ADA)

        outcome = made.archive()
        assert (outcome.episodes, outcome.problems) == (len(everything), [])
        assert {episode.tier for episode in made.walk(ADA)} == {"hot"}

        made.expire()
        assert made.items() == []
        assert [episode.model_copy(update={"tier": "hot"}) for episode in made.walk(ADA)] == before
        assert {episode.tier for episode in made.walk(ADA)} == {"cold"}
        assert made.archive().episodes == 0


def test_copy_of_an_archived_event_changes_nothing() -> None:
    with make_archive_setup() as made:
        large = recorded(an_event("late", agent_id="guide", payload={"text": "x" * 40_000}, occurred_at=NOON))
        made.episodes.record_event(large, extracted="v1")
        made.archive()
        made.expire()
        before = made.walk(ADA)

        assert made.episodes.record_event(large, extracted="v1").extracted == "v1"

        assert made.items() == []
        assert made.walk(ADA) == before, "its large text included"


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_both_tiers_are_one_listing_at_any_page_size(limit: int) -> None:
    with make_archive_setup() as made:
        fill(made)
        made.archive()
        made.expire()
        late = fill_late(made)

        assert ids(made.walk(ADA, limit=limit)) == late
        assert ids(made.walk(ADA, limit=limit, user_id="grace")) == [each for each in late if "grace" in each]
        assert {episode.tier for episode in made.walk(ADA)} == {"hot", "cold"}


def fill_late(made: ArchiveSetup) -> list[str]:
    """Record one more on a day that was archived and one on a new day; returns all ids in time order."""
    for number, day in ((8, -2), (9, 5)):
        moment = NOON + timedelta(days=day, minutes=2, seconds=2)
        event = an_event(f"ada{number}", agent_id="guide", occurred_at=moment)
        made.episodes.record_event(recorded(event), extracted=None)
    return [
        "ada0",
        "grace0",
        "ada1",
        "grace1",
        "ada2",
        "grace2",
        "ada8",
        "ada3",
        "grace3",
        "ada4",
        "grace4",
        "ada9",
    ]


def test_crash_of_archiving_at_any_step_loses_nothing() -> None:
    with make_archive_setup() as made:
        fill(made, ADA, days=TWO_OBJECTS)
        with calls(made, lambda _name, _number: None) as seen:
            made.archive()
    steps = [number for number, name in enumerate(seen, start=1) if name != "Query"]
    assert len(steps) > 10

    for step in sample(steps, most=6):
        with make_archive_setup() as made:
            everything = fill(made, ADA, days=TWO_OBJECTS)

            def die(_: str, number: int, step: int = step) -> None:
                if number == step:
                    raise Death

            with calls(made, die), pytest.raises(Death):
                made.archive()
            assert ids(made.walk(ADA)) == everything
            assert made.archive().problems == []
            made.expire()
            assert made.items() == [], f"after a crash at step {step}"
            assert ids(made.walk(ADA)) == everything, f"after a crash at step {step}"


def test_two_archivers_interleaved_at_any_step_lose_nothing() -> None:
    for step in sample(range(1, 14), most=5):
        with make_archive_setup() as made:
            everything = fill(made, days=TWO_OBJECTS)
            rival: list[int] = []

            def interrupt(
                _: str, number: int, step: int = step, made: ArchiveSetup = made, rival: list[int] = rival
            ) -> None:
                if number == step and not rival:
                    rival.append(step)
                    made.archive()

            with calls(made, interrupt):
                outcome = made.archive()
            assert outcome.problems == []
            made.expire()
            assert made.items() == []
            assert ids(made.walk(ADA)) == everything, f"with a rival at step {step}"


def test_unreadable_item_costs_only_its_own_day() -> None:
    with make_archive_setup() as made:
        everything = fill(made, ADA)
        broken = next(item for item in made.items() if "ada0" in str(item["sk"]))
        made.table.put_item(Item=broken | {"body": "no JSON"})

        outcome = made.archive()

        assert outcome.episodes == len(everything) - 1
        assert len(outcome.problems) == len(made.problems) == 1
        assert str(broken["pk"]) in outcome.problems[0]


def test_episode_erased_during_archiving_is_in_no_object() -> None:
    with make_archive_setup() as made:
        everything = fill(made)
        victim = next(item for item in made.items() if "ada0" in str(item["sk"]))
        erased: list[str] = []

        def erase(name: str, _: int) -> None:
            if name == "UpdateItem" and not erased:
                erased.append(name)
                made.table.delete_item(Key={"pk": victim["pk"], "sk": victim["sk"]})

        with calls(made, erase):
            outcome = made.archive()
        made.expire()

        assert outcome.episodes == len(everything) - 1
        assert ids(made.walk(ADA)) == [each for each in everything if each != "ada0"]
        bodies = [made.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in made.keys_of_parquet()]
        assert len(bodies) == len(made.archiver.catalog.list_objects("acme"))
