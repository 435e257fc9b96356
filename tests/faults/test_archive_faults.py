"""functions/archive under crashes, rivals and a store that misbehaves: a copy too many, never an episode too few."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.archive.compaction import compact
from functions.memory.thawing_api import JOB_PREFIX, ThawOut, thaw
from membus.domain.episode import Episode
from membus.domain.identity import Owner
from membus.errors import ArchiveError, InvalidError, NotFoundError, ThawingError
from tests.archiving import BUCKET, Tiers, tiers
from tests.factories import ADA, NOON, an_event, recorded
from tests.fakes.crashing import Death

GRACE = Owner(tenant="acme", user="grace")
DAYS = (-3, -2, -2, 0, 1)


@contextmanager
def calls(tiers: Tiers, happens: Callable[[str, int], None]) -> Iterator[list[str]]:
    """Tell `happens` of every call to AWS, before it is sent: its operation and its number."""
    seen: list[str] = []

    def before(model: Any, **_: object) -> None:
        seen.append(model.name)
        happens(model.name, len(seen))

    clients = (tiers.table.meta.client, tiers.s3)
    for client in clients:
        client.meta.events.register("before-call", before)
    try:
        yield seen
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", before)


def fill(tiers: Tiers, *owners: Owner) -> list[str]:
    """Record episodes of Ada and Grace over several days, one of them large; returns their ids in time order."""
    owners = owners or (ADA, GRACE)
    for number, day in enumerate(DAYS):
        for owner in owners:
            text = "x" * 40_000 if number == 1 and owner is ADA else "hello"
            event = an_event(
                f"{owner.user}{number}", owner=owner, agent_id="guide", payload={"text": text},
                occurred_at=NOON + timedelta(days=day, minutes=number, seconds=owner is GRACE),
            )  # fmt: skip
            tiers.episodes.record(recorded(event), extracted=None)
    return [event_id for number in range(len(DAYS)) for event_id in (f"{owner.user}{number}" for owner in owners)]


def ids(episodes: list[Episode]) -> list[str]:
    return [each.event.event_id for each in episodes]


def test_archived_episodes_are_read_as_they_were_once_the_hot_copies_are_gone() -> None:
    with tiers() as made:
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


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_both_tiers_are_one_list_whatever_the_page(limit: int) -> None:
    with tiers() as made:
        fill(made)
        made.archive()
        made.expire()
        late = fill_late(made)

        assert ids(made.walk(ADA, limit=limit)) == late
        assert ids(made.walk(ADA, limit=limit, user_id="grace")) == [each for each in late if "grace" in each]
        assert {episode.tier for episode in made.walk(ADA)} == {"hot", "cold"}


def fill_late(made: Tiers) -> list[str]:
    """Record one more on a day that was archived and one on a new day; returns all ids in time order."""
    for number, day in ((8, -2), (9, 5)):
        moment = NOON + timedelta(days=day, minutes=2, seconds=2)
        event = an_event(f"ada{number}", agent_id="guide", occurred_at=moment)
        made.episodes.record(recorded(event), extracted=None)
    return ["ada0", "grace0", "ada1", "grace1", "ada2", "grace2", "ada8", "ada3", "grace3", "ada4", "grace4", "ada9"]


def test_a_crash_at_any_step_loses_nothing_and_the_next_run_ends_the_work() -> None:
    with tiers() as made:
        fill(made, ADA)
        with calls(made, lambda _name, _number: None) as seen:
            made.archive()
    steps = [number for number, name in enumerate(seen, start=1) if name != "Query"]
    assert len(steps) > 15

    for step in steps:
        with tiers() as made:
            everything = fill(made, ADA)

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


def test_two_archivers_interleaved_at_every_step_lose_nothing() -> None:
    for step in range(1, 14):
        with tiers() as made:
            everything = fill(made)
            rival: list[int] = []

            def interrupt(_: str, number: int, step: int = step, made: Tiers = made, rival: list[int] = rival) -> None:
                if number == step and not rival:
                    rival.append(step)
                    made.archive()

            with calls(made, interrupt):
                outcome = made.archive()
            assert outcome.problems == []
            made.expire()
            assert made.items() == []
            assert ids(made.walk(ADA)) == everything, f"with a rival at step {step}"


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_a_conflict_over_an_object_is_settled_by_reading_it(code: str) -> None:
    with tiers() as made:
        everything = fill(made)
        refused: list[str] = []

        def refuse(name: str, _: int) -> None:
            if name == "PutObject" and not refused:
                refused.append(name)
                raise ClientError({"Error": {"Code": code}}, name)

        with calls(made, refuse):
            first = made.archive()
        made.archive()
        made.expire()

        assert len(first.problems) <= 1
        assert ids(made.walk(ADA)) == everything


def test_a_truncated_object_under_the_right_key_is_replaced_before_anything_rests_on_it() -> None:
    with tiers() as made:
        everything = fill(made)

        def cut(name: str, _: int) -> None:
            if name == "UpdateItem":
                raise Death

        with calls(made, cut), pytest.raises(Death):
            made.archive()
        (key,) = made.keys_of_parquet()
        made.s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1 half")

        assert made.archive().problems == []
        made.expire()
        assert ids(made.walk(ADA)) == everything


def test_an_episode_stays_hot_while_the_store_is_out_of_reach() -> None:
    with tiers() as made:
        everything = fill(made)

        def out_of_reach(name: str, _: int) -> None:
            if name == "GetObject":
                raise ClientError({"Error": {"Code": "SlowDown"}}, name)

        with calls(made, out_of_reach):
            outcome = made.archive()

        assert outcome.episodes == 0
        assert outcome.problems
        assert not any("expires_at" in item for item in made.items())
        assert made.archive().episodes == len(everything)


def test_an_item_that_cannot_be_read_costs_its_own_day_alone() -> None:
    with tiers() as made:
        everything = fill(made, ADA)
        broken = next(item for item in made.items() if "ada0" in str(item["sk"]))
        made.table.put_item(Item=broken | {"body": "no JSON"})

        outcome = made.archive()

        assert outcome.episodes == len(everything) - 1
        assert len(outcome.problems) == len(made.problems) == 1
        assert str(broken["pk"]) in outcome.problems[0]


def test_a_missing_object_is_an_error_that_names_it_never_a_gap() -> None:
    with tiers() as made:
        fill(made)
        made.archive()
        made.expire()
        key = made.keys_of_parquet()[0]
        made.s3.delete_object(Bucket=BUCKET, Key=key)

        with pytest.raises(ArchiveError, match=key):
            made.walk(ADA)


def test_a_damaged_object_is_an_error_that_names_it() -> None:
    with tiers() as made:
        fill(made)
        made.archive()
        made.expire()
        key = made.keys_of_parquet()[0]
        body = bytearray(made.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        body[100] ^= 1
        made.s3.put_object(Bucket=BUCKET, Key=key, Body=bytes(body))

        with pytest.raises(ArchiveError, match=key):
            made.walk(ADA)


def test_an_object_in_a_class_that_takes_hours_is_asked_for_and_told_as_a_job() -> None:
    with tiers() as made:
        fill(made, ADA)
        made.archive()
        made.expire()
        key = made.keys_of_parquet()[0]
        made.s3.copy_object(
            Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": key}, StorageClass="GLACIER"
        )  # fmt: skip

        with pytest.raises(ThawingError) as thawing:
            made.walk(ADA)

        told = ThawOut.of(thawing.value)
        assert (told.object, told.status, told.retry_after_seconds) == (key, "running", 18_000)
        objects, catalog = made.archiver.objects, made.archiver.catalog
        assert thaw("acme", told.job_id, catalog=catalog, objects=objects).job_id == told.job_id
        with pytest.raises(NotFoundError):
            thaw("zeta", told.job_id, catalog=catalog, objects=objects)
        with pytest.raises(NotFoundError):
            thaw("acme", f"{JOB_PREFIX}bm9uZQ", catalog=catalog, objects=objects)
        with pytest.raises(InvalidError):
            thaw("acme", f"{JOB_PREFIX}_____", catalog=catalog, objects=objects)


def test_what_is_erased_while_it_is_archived_is_in_no_object() -> None:
    with tiers() as made:
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
        assert len(bodies) == len(made.archiver.catalog.of("acme"))


def test_compaction_leaves_one_object_a_month_and_every_episode() -> None:
    with tiers() as made:
        everything = fill(made)
        made.archive()
        made.expire()
        objects = len(made.keys_of_parquet())

        outcome = compact("acme", archiver=made.archiver)

        assert outcome.problems == []
        months = {each.day.replace(day=1) for each in made.archiver.catalog.of("acme")}
        assert len(made.keys_of_parquet()) == len(months) < objects
        assert ids(made.walk(ADA)) == everything
        assert compact("acme", archiver=made.archiver).objects == 0


def test_a_crash_while_compacting_loses_nothing() -> None:
    for step in range(1, 40):
        with tiers() as made:
            everything = fill(made, ADA)
            made.archive()
            made.expire()

            def die(_: str, number: int, step: int = step) -> None:
                if number == step:
                    raise Death

            try:
                with calls(made, die):
                    compact("acme", archiver=made.archiver)
            except Death:
                assert ids(made.walk(ADA)) == everything, f"after a crash at step {step}"
                compact("acme", archiver=made.archiver)
            else:
                return
            assert ids(made.walk(ADA)) == everything, f"after a crash at step {step}"
    pytest.fail("compaction never came to its end")


def test_a_store_that_reads_back_something_else_than_was_written_is_not_trusted() -> None:
    def other(parsed: dict[str, Any], **_: object) -> None:
        parsed["Body"] = BytesIO(b"something else")

    with tiers() as made:
        fill(made)
        made.s3.meta.events.register("after-call.s3.GetObject", other)

        outcome = made.archive()

        assert outcome.episodes == 0
        assert "reads back as something else" in outcome.problems[0]
        assert not any("expires_at" in item for item in made.items())
