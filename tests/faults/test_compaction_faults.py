"""Compaction beside itself, archivers, erasures and readers, cut short at any step: every episode once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from zlib import crc32

import pytest

from functions.archive.compaction import Compaction
from tests.factories import ADA, NOON
from tests.fakes.crashing import Death
from tests.support.archive_tiers import DAYS, ArchiveSetup, calls, fill, ids, make_archive_setup
from tests.support.budgets import sample

SHARDS = range(16)
MINE = [crc32(b"acme#guide") % len(SHARDS)]


def compact(made: ArchiveSetup) -> list[str]:
    """Compact what is due, as every night; returns the problems."""
    outcome = Compaction(made.archiver, patient=True).compact_due(MINE, before=made.now.date())
    return outcome.problems


def archived(made: ArchiveSetup, *, again: bool = False, days: Sequence[int] = (-3, -2)) -> list[str]:
    """Archive some days; returns the episodes' ids in time order.

    `again`: the run had died before it could say so of the first and the last day, whose episodes wait for
    the next.
    """
    everything = fill(made, ADA, days=days)
    before = {str(item["sk"]): item for item in made.items()}
    made.archive()
    for place in (min(before), max(before)) if again else ():
        made.table.put_item(Item=before[place])
    made.expire()
    return everything


def at(step: int, happens: Callable[[], object]) -> Callable[[str, int], None]:
    """Let something happen once, before the call of that number."""
    done: list[int] = []

    def before(_: str, number: int) -> None:
        if number == step and not done:
            done.append(number)
            happens()

    return before


def steps(does: Callable[[ArchiveSetup], object]) -> list[int]:
    """Return the numbers of the calls to AWS in which a task reads or changes an object or an item."""
    with make_archive_setup() as made:
        archived(made, again=True)
        with calls(made, lambda _name, _number: None) as seen:
            does(made)
    return [number for number, name in enumerate(seen, start=1) if name != "Query"]


def sound(made: ArchiveSetup) -> bool:
    """Whether the catalog names what is there and nothing else is."""
    named = made.archiver.catalog.list_objects("acme")
    for each in named:
        made.archiver.objects.verify_object(each)
    return {each.object_key for each in named} == set(made.keys_of_parquet())


def test_due_month_becomes_one_object_and_is_no_longer_due() -> None:
    with make_archive_setup() as made:
        everything = archived(made, days=DAYS)
        before = len(made.keys_of_parquet())

        assert compact(made) == []

        objects = made.archiver.catalog.list_objects("acme")
        assert len(objects) == len({each.month for each in objects}) < before
        assert sound(made)
        assert ids(made.walk(ADA)) == everything
        assert [made.archiver.catalog.list_due_months(shard, before=made.now.date()) for shard in SHARDS] == [
            []
        ] * 16


def test_compaction_without_new_objects_costs_one_query_a_shard() -> None:
    with make_archive_setup() as made:
        archived(made)
        compact(made)

        with calls(made, lambda _name, _number: None) as seen:
            Compaction(made.archiver, patient=True).compact_due(SHARDS, before=made.now.date())

        assert seen == ["Query"] * 16


def test_current_month_is_not_compacted() -> None:
    with make_archive_setup() as made:
        fill(made, ADA)
        made.archive()
        objects = made.archiver.catalog.list_objects("acme")
        this_month = [each for each in objects if each.month.first == NOON.date().replace(day=1)]

        Compaction(made.archiver).compact_due(MINE, before=NOON.date())

        assert len(this_month) > 1
        assert this_month == [
            each for each in made.archiver.catalog.list_objects("acme") if each in this_month
        ]
        assert len(made.archiver.catalog.list_objects("acme")) < len(objects)


def test_next_run_continues_one_out_of_time() -> None:
    with make_archive_setup() as made:
        everything = archived(made, days=DAYS)
        clock = iter([900.0, 900.0])
        hurried = replace(made.archiver, seconds_left=lambda: next(clock, 30.0))

        assert Compaction(hurried, patient=True).compact_due(MINE, before=made.now.date()).unfinished
        assert compact(made) == []

        objects = made.archiver.catalog.list_objects("acme")
        assert len(objects) == len({each.month for each in objects})
        assert ids(made.walk(ADA)) == everything


def test_crash_of_compaction_at_any_step_loses_nothing() -> None:
    for step in sample(steps(compact), most=6):
        with make_archive_setup() as made:
            everything = archived(made)

            def die() -> None:
                raise Death

            with calls(made, at(step, die)), pytest.raises(Death):
                compact(made)
            assert ids(made.walk(ADA)) == everything, f"after a crash at step {step}"
            compact(made)
            objects = made.archiver.catalog.list_objects("acme")
            assert len(objects) == len({each.month for each in objects}), f"after a crash at step {step}"
            assert ids(made.walk(ADA)) == everything, f"after a crash at step {step}"


def read(made: ArchiveSetup) -> list[str]:
    """Read everything; returns what is missing."""
    return sorted({"ada0", "ada1"} - set(ids(made.walk(ADA))))


def archive(made: ArchiveSetup) -> list[str]:
    """Take up what was cut short: the object lies there, is named, and may be merged at any moment."""
    problems: list[str] = made.archive().problems
    return problems


PAIRS = [(compact, compact), (compact, archive), (compact, read), (archive, compact), (read, compact)]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_interleaved_runs_lose_nothing(
    one: Callable[[ArchiveSetup], list[str]], other: Callable[[ArchiveSetup], list[str]]
) -> None:
    for step in sample(steps(one), most=5):
        with make_archive_setup() as made:
            everything = archived(made, again=True)
            found: list[str] = []
            with calls(made, at(step, lambda made=made, found=found: found.extend(other(made)))):  # type: ignore[misc]
                found += one(made)
            assert found == [], f"{other.__name__} at step {step}"
            assert sound(made), f"{other.__name__} at step {step}"
            made.archive()
            made.expire()
            assert ids(made.walk(ADA)) == everything, f"{other.__name__} at step {step}"


def test_object_that_holds_all_rows_of_the_others_stays() -> None:
    with make_archive_setup() as made:
        everything = archived(made, again=True)
        assert compact(made) == []
        whole = made.archiver.catalog.list_objects("acme")

        made.archive()
        assert len(made.archiver.catalog.list_objects("acme")) == len(whole) + 2
        Compaction(made.archiver).compact_tenant("acme")

        assert [each.object_key for each in made.archiver.catalog.list_objects("acme")] == [
            each.object_key for each in whole
        ]
        assert sound(made)
        made.expire()
        assert ids(made.walk(ADA)) == everything
