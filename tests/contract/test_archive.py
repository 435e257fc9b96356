"""The ports of the archive: verified objects, a catalog that decides, reads without a gap."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from membus.core.errors import ConflictError, CorruptArchiveError
from membus.core.identity import Owner
from membus.episodes.archive.dynamodb import DynamoArchiveCatalog
from membus.episodes.archive.model import ArchiveMonth, ArchiveObject, ArchivePack, pack_rows
from membus.episodes.archive.ports import ArchiveObjects, CompactionCatalog
from membus.episodes.archive.s3 import S3ArchiveObjects
from membus.episodes.model import EpisodeQuery
from tests.factories import NOON, a_cold_row
from tests.fakes.episode_archive import InMemoryArchiveCatalog, InMemoryArchiveObjects
from tests.support.backends import AwsBackend, OnEveryBackend

LATER = NOON + timedelta(days=400)
TODAY = NOON.date()
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Cold:
    objects: ArchiveObjects
    catalog: CompactionCatalog


@pytest.fixture
def cold(on_every_backend: OnEveryBackend) -> Cold:
    def adapter(aws: AwsBackend) -> Cold:
        aws.get_blobs()
        s3 = aws.make_client("s3")
        return Cold(S3ArchiveObjects(lambda: s3, aws.bucket), DynamoArchiveCatalog(aws.get_table("memory")))

    return on_every_backend(lambda: Cold(InMemoryArchiveObjects(), InMemoryArchiveCatalog()), adapter)


def a_pack(owner: Owner, *numbers: int, day: date = TODAY, **members: str) -> ArchivePack:
    rows = [a_cold_row(f"e{n}", owner=owner, occurred_at=NOON + n * MINUTE, **members) for n in numbers]
    return pack_rows(owner.tenant, "guide", day, rows, hot_until=NOON)


def wanted(owner: Owner, **members: str) -> EpisodeQuery:
    return EpisodeQuery(tenant=owner.tenant, agent="guide", start=NOON - MINUTE, end=LATER, **members)


def ids(
    cold: Cold, kept: ArchiveObject, query: EpisodeQuery, *, after: str = "", limit: int = 100
) -> list[str]:
    return [row.event_id for row in cold.objects.read_rows(kept, query, after=after, limit=limit)]


def test_packed_rows_are_read_back_unchanged(cold: Cold, owner: Owner) -> None:
    pack = a_pack(owner, 3, 1, 2)

    kept = cold.objects.put_pack(pack)

    assert tuple(cold.objects.read_rows(kept, wanted(owner), after="", limit=9)) == pack.rows
    assert (kept.rows, kept.first, kept.last) == (3, pack.rows[0].place, pack.rows[-1].place)
    cold.objects.verify_object(kept)


def test_same_rows_packed_again_are_the_same_object(cold: Cold, owner: Owner) -> None:
    assert cold.objects.put_pack(a_pack(owner, 1, 2)) == cold.objects.put_pack(a_pack(owner, 2, 1, 2))
    assert a_pack(owner, 1).object_name != a_pack(owner, 2).object_name


def test_span_of_an_object_is_read_for_one_user_and_session(cold: Cold, owner: Owner) -> None:
    other = Owner(tenant=owner.tenant, user="grace")
    rows = [*a_pack(owner, 1, 3, session_id="s1").rows, *a_pack(other, 2, 4).rows, *a_pack(owner, 5, 6).rows]
    kept = cold.objects.put_pack(pack_rows(owner.tenant, "guide", NOON.date(), rows, hot_until=NOON))

    assert ids(cold, kept, wanted(owner)) == ["e1", "e2", "e3", "e4", "e5", "e6"]
    assert ids(cold, kept, wanted(owner, user_id="grace")) == ["e2", "e4"]
    assert ids(cold, kept, wanted(owner, session_id="s1")) == ["e1", "e3"]
    assert ids(cold, kept, wanted(owner, user_id="grace", session_id="s1")) == []
    assert ids(cold, kept, wanted(owner), after=kept.first, limit=2) == ["e2", "e3"]


def test_objects_are_merged_with_each_episode_once_and_a_user_left_out(cold: Cold, owner: Owner) -> None:
    other = Owner(tenant=owner.tenant, user="grace")
    packs = [a_pack(owner, 1, 2), a_pack(owner, 2, 3), a_pack(other, 4)]
    objects = [cold.objects.put_pack(pack) for pack in packs]

    merged = cold.objects.merge_objects(objects)
    without = cold.objects.merge_objects(objects, without_user=owner.user)

    assert merged is not None
    assert ids(cold, merged, wanted(owner)) == ["e1", "e2", "e3", "e4"]
    assert without is not None
    assert ids(cold, without, wanted(owner)) == ["e4"]
    assert cold.objects.merge_objects(objects[:2], without_user=owner.user) is None


def test_missing_object_is_an_error_that_names_it(cold: Cold, owner: Owner) -> None:
    kept = cold.objects.put_pack(a_pack(owner, 1))
    cold.objects.delete_object(kept)

    with pytest.raises(CorruptArchiveError, match=kept.object_key.replace("+", r"\+")) as raised:
        cold.objects.verify_object(kept)
    assert raised.value.key == kept.object_key


def test_catalog_lists_objects_of_an_agent_in_time_order(cold: Cold, owner: Owner) -> None:
    months = [date(2026, 1, 30), date(2026, 2, 1), date(2026, 3, 15)]
    kept = [cold.objects.put_pack(a_pack(owner, n, day=day)) for n, day in enumerate(months)]
    elsewhere = kept[0].model_copy(update={"agent": "guide2"})
    for each in (*reversed(kept), elsewhere):
        cold.catalog.add_object(each)

    assert cold.catalog.list_objects(owner.tenant, "guide") == kept
    assert cold.catalog.list_objects(owner.tenant, "guide", since=date(2026, 2, 20)) == kept[1:]
    assert cold.catalog.list_objects(owner.tenant, "guide", until=date(2026, 2, 1)) == kept[:2]
    assert cold.catalog.list_objects(
        owner.tenant, "guide", since=date(2026, 2, 20), until=date(2026, 3, 14)
    ) == [kept[1]]
    assert cold.catalog.list_objects(owner.tenant) == [*kept, elsewhere]
    assert cold.catalog.list_objects("nobody") == []


def test_objects_are_replaced_all_at_once_or_not_at_all(cold: Cold, owner: Owner) -> None:
    first, second = (cold.objects.put_pack(a_pack(owner, n)) for n in (1, 2))
    cold.catalog.add_object(first)
    cold.catalog.add_object(second)
    merged = cold.objects.merge_objects([first, second])

    cold.catalog.replace_objects([first, second], merged)

    assert cold.catalog.list_objects(owner.tenant, "guide") == [merged]
    with pytest.raises(ConflictError):
        cold.catalog.replace_objects([first], second)
    assert cold.catalog.list_objects(owner.tenant, "guide") == [merged]


def test_replaced_object_of_the_same_name_must_be_in_the_catalog(cold: Cold, owner: Owner) -> None:
    first, second = (cold.objects.put_pack(a_pack(owner, n)) for n in (1, 2))
    whole = cold.objects.merge_objects([first, second])
    assert whole is not None
    cold.catalog.add_object(whole)
    cold.catalog.add_object(first)

    cold.catalog.replace_objects([whole, first], whole)

    assert cold.catalog.list_objects(owner.tenant) == [whole]
    cold.catalog.replace_objects([whole], None)
    with pytest.raises(ConflictError):
        cold.catalog.replace_objects([whole], whole)
    assert cold.catalog.list_objects(owner.tenant) == []


def test_object_exists_as_long_as_it_is_in_the_catalog(cold: Cold, owner: Owner) -> None:
    kept = cold.objects.put_pack(a_pack(owner, 1))
    assert not cold.catalog.has_object(kept.object_key)

    cold.catalog.add_object(kept)
    assert cold.catalog.has_object(kept.object_key)

    cold.catalog.replace_objects([kept], None)
    assert not cold.catalog.has_object(kept.object_key)


def test_month_is_due_from_each_write_until_it_is_compacted(cold: Cold, owner: Owner) -> None:
    months = [date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)]
    first, second, later = (cold.objects.put_pack(a_pack(owner, n, day=day)) for n, day in enumerate(months))
    for each in (later, first):
        cold.catalog.add_object(each)

    def due() -> list[ArchiveMonth]:
        found = [
            month
            for shard in range(16)
            for month in cold.catalog.list_due_months(shard, before=date(2026, 2, 20))
        ]
        return [month for month in found if month.tenant == owner.tenant]

    assert due() == [ArchiveMonth(tenant=owner.tenant, agent="guide", first=date(2026, 1, 1))]
    assert cold.catalog.list_month(due()[0]) == [first]

    cold.catalog.add_object(second)
    cold.catalog.mark_compacted([first])
    assert due() == [first.month]
    cold.catalog.mark_compacted([first, second])
    assert due() == []

    merged = cold.objects.merge_objects([first, second])
    assert merged is not None
    cold.catalog.replace_objects([first, second], merged)
    cold.catalog.mark_compacted([second])
    assert cold.catalog.list_objects(owner.tenant) == [merged, later]
    assert due() == [merged.month]


def test_check_of_an_object_names_it_where_it_is_missing(cold: Cold, owner: Owner) -> None:
    kept = cold.objects.put_pack(a_pack(owner, 1))
    cold.objects.check_exists(kept)

    cold.objects.delete_object(kept)
    with pytest.raises(CorruptArchiveError) as raised:
        cold.objects.check_exists(kept)
    assert raised.value.key == kept.object_key


def test_tenants_see_their_own_objects_alone(cold: Cold, owner: Owner) -> None:
    stranger = replace_tenant(owner)
    cold.catalog.add_object(cold.objects.put_pack(a_pack(owner, 1)))

    assert cold.catalog.list_objects(stranger.tenant) == []
    assert a_pack(owner, 1).object_key != a_pack(stranger, 1).object_key


def replace_tenant(owner: Owner) -> Owner:
    return Owner(tenant=f"{owner.tenant}x", user=owner.user)
