"""`tier reconcile`: right under late events, copies, erasure and work in progress; losses are reported."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from functions.archive.compaction import Compaction
from membus.aws.dynamodb.keys import event_pk
from membus.core.clock import EARLIEST, LATEST
from membus.core.identity import Owner
from membus.episodes.archive.model import ArchiveObject
from membus.episodes.model import EpisodeQuery
from scripts.tier.dynamodb import DynamoRecordedEvents
from scripts.tier.reconciliation import ReconciliationLine, reconcile
from tests.factories import ADA, NOON, an_event, recorded
from tests.support.archive_tiers import DAYS, GRACE, ArchiveSetup, calls, fill, make_archive_setup
from tests.support.erasure import make_erasure_setup


def lines(made: ArchiveSetup) -> list[ReconciliationLine]:
    def event_ids(kept: ArchiveObject) -> dict[date, set[str]]:
        everything = EpisodeQuery(tenant=kept.tenant, agent=kept.agent, start=EARLIEST, end=LATEST)
        found: dict[date, set[str]] = defaultdict(set)
        for row in made.archiver.objects.read_rows(kept, everything, after="", limit=kept.rows):
            found[row.occurred_at.date()].add(event_pk(Owner(tenant="acme", user=row.user_id), row.event_id))
        return found

    return reconcile(
        "acme",
        recorded=DynamoRecordedEvents(made.table),
        catalog=made.archiver.catalog,
        event_ids=event_ids,
        watch=lambda things, _: things,
    )


def unsound(made: ArchiveSetup) -> list[ReconciliationLine]:
    return [line for line in lines(made) if not line.found.is_sound]


def test_every_day_adds_up_in_and_between_both_tiers() -> None:
    with make_archive_setup() as made:
        fill(made)
        assert unsound(made) == []
        made.archive()
        fill(made)
        assert unsound(made) == []
        made.expire()
        late = an_event("late", agent_id="guide", occurred_at=NOON + timedelta(days=DAYS[0], hours=3))
        made.episodes.record_event(recorded(late), extracted=None)

        found = lines(made)

        assert [line for line in found if not line.found.is_sound] == []
        assert [len(line.found.recorded) for line in found] == [3, 4, 2, 2]
        assert [len(line.found.cold) for line in found] == [2, 4, 2, 2]
        assert found[0].found.hot == {event_pk(ADA, "late")}


def test_no_day_of_an_erased_user_remains_and_the_others_add_up() -> None:
    with make_erasure_setup() as made:
        fill(made.tiers)
        made.tiers.archive()

        made.erase(ADA)

        found = lines(made.tiers)
        assert [line for line in found if not line.found.is_sound] == []
        assert {identity for line in found for identity in line.found.recorded} == {
            event_pk(GRACE, f"grace{number}") for number in range(5)
        }


def archived(made: ArchiveSetup) -> object:
    made.archive()
    made.expire()
    return made


def compacted(made: ArchiveSetup) -> object:
    return Compaction(made.archiver).compact_tenant("acme")


def one_more(made: ArchiveSetup) -> object:
    return made.episodes.record_event(
        recorded(an_event("new", agent_id="guide", occurred_at=NOON)), extracted=None
    )


@pytest.mark.parametrize("meanwhile", [archived, compacted, one_more])
def test_work_in_progress_is_no_difference(meanwhile: Callable[[ArchiveSetup], object]) -> None:
    for step in range(1, 9):
        with make_archive_setup() as made:
            fill(made, ADA, days=DAYS[:3])
            if meanwhile is compacted:
                archived(made)

            def interrupt(_: str, number: int, step: int = step, made: ArchiveSetup = made) -> None:
                if number == step:
                    meanwhile(made)

            with calls(made, interrupt):
                assert unsound(made) == [], f"{meanwhile.__name__} at step {step}"


def test_lost_episode_is_reported_by_its_day() -> None:
    with make_archive_setup() as made:
        fill(made, ADA)
        gone = next(item for item in made.items() if "ada0" in str(item["sk"]))
        made.table.delete_item(Key={"pk": gone["pk"], "sk": gone["sk"]})
        made.archive()
        last = made.archiver.catalog.list_objects("acme")[-1]
        made.archiver.catalog.replace_objects([last], None)

        assert [(line.found.missing_ids, line.found.unprotected_ids) for line in unsound(made)] == [
            ({event_pk(ADA, "ada0")}, set()),
            (set(), {event_pk(ADA, "ada4")}),
        ]
