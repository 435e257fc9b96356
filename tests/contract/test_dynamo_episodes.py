"""What only the adapters of episodes can get wrong.

Partitions that are merged, payloads elsewhere, bounded pages.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from membus.core.errors import UnavailableError
from membus.episodes.dynamodb import DynamoEpisodeReader, DynamoEpisodes, DynamoRecentEvents
from membus.episodes.model import PAGE_BYTES_MAX, EpisodeQuery
from tests.factories import ADA, NOON, an_event, recorded
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
WANTED = EpisodeQuery(tenant=ADA.tenant, agent="default", start=NOON - DAY, end=NOON + DAY)
LARGE = {"text": "x" * 40_000}


@pytest.fixture
def contents() -> InMemoryBlobs:
    return InMemoryBlobs()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


def fill(
    table: "Table", contents: InMemoryBlobs, count: int, *, shards: int = 1, **members: Any
) -> list[str]:
    store = DynamoEpisodes(table, contents, shards)
    for number in range(count):
        event = an_event(f"e{number}", occurred_at=NOON + number * SECOND, **members)
        store.record_event(recorded(event), extracted=None)
    return [f"e{number}" for number in range(count)]


def walk(reader: DynamoEpisodeReader, query: EpisodeQuery, limit: int) -> tuple[list[str], int]:
    """Return all ids and how many pages they took."""
    ids, pages, after = [], 0, None
    while pages == 0 or after:
        page = reader.list_episodes(query, limit=limit, after=after)
        ids += [episode.event.event_id for episode in page.items]
        pages, after = pages + 1, page.after
    return ids, pages


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_day_in_several_shards_reads_as_one_list(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock, limit: int
) -> None:
    ids = fill(table, contents, 20, shards=4, session_id="s1")
    reader = DynamoEpisodeReader(table, contents, clock, 4)

    assert len({item["pk"] for item in table.scan()["Items"] if "user_pk" in item}) == 4
    assert walk(reader, WANTED, limit)[0] == ids
    assert walk(reader, WANTED.model_copy(update={"session_id": "s1"}), limit)[0] == ids


def test_a_day_written_before_there_were_shards_stays_readable(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    ids = fill(table, contents, 5)
    late = an_event("late", occurred_at=NOON + 9 * SECOND)
    DynamoEpisodes(table, contents, 4).record_event(recorded(late), extracted=None)
    copy = DynamoEpisodes(table, contents, 8).record_event(
        recorded(an_event("e0", payload={})), extracted=None
    )

    assert walk(DynamoEpisodeReader(table, contents, clock, 4), WANTED, 2)[0] == [*ids, "late"]
    assert copy.event.payload


def test_page_across_uneven_shards_skips_nothing(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    store = DynamoEpisodes(table, contents, 3)
    for number in range(24):
        session = "rare" if number % 5 == 0 else "often"
        event = an_event(f"e{number}", occurred_at=NOON + number * SECOND, session_id=session)
        store.record_event(recorded(event), extracted=None)
    reader = DynamoEpisodeReader(table, contents, clock, 3, filtered_page_items=2)

    assert walk(reader, WANTED.model_copy(update={"session_id": "rare"}), 2)[0] == [
        "e0",
        "e5",
        "e10",
        "e15",
        "e20",
    ]


def test_expired_episode_is_skipped_and_its_page_continues(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    ids = fill(table, contents, 3)
    expiry = int(NOON.timestamp()) + 3600
    for item in table.scan()["Items"]:
        if str(item["sk"]).endswith(("#e0", "#e1")):
            table.put_item(Item=item | {"expires_at": expiry})
    reader = DynamoEpisodeReader(table, contents, clock)
    by_user = WANTED.model_copy(update={"user_id": ADA.user})

    clock.advance(timedelta(seconds=3599))
    assert walk(reader, WANTED, 1)[0] == walk(reader, by_user, 1)[0] == ids
    clock.advance(SECOND)
    assert walk(reader, WANTED, 1)[0] == walk(reader, by_user, 1)[0] == ["e2"]


def test_a_long_empty_range_is_walked_in_bounded_steps(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    ids = fill(table, contents, 2)
    reader = DynamoEpisodeReader(table, contents, clock)
    query = WANTED.model_copy(update={"start": NOON - 250 * DAY, "end": NOON + 90 * DAY})

    assert reader.list_episodes(query, limit=10, after=None).items == ()
    assert walk(reader, query, 10) == (ids, 4)
    assert walk(reader, query.model_copy(update={"user_id": ADA.user}), 10) == (ids, 1)


def test_page_is_limited_by_the_size_of_a_response(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    ids = fill(table, contents, 5, payload={"text": "x" * (2 * PAGE_BYTES_MAX // 5)})

    assert walk(DynamoEpisodeReader(table, contents, clock), WANTED, 50) == (ids, 3)


def test_large_payload_is_stored_outside_its_item(table: "Table", contents: InMemoryBlobs) -> None:
    fill(table, contents, 1, payload=LARGE)

    (episode,) = [item for item in table.scan()["Items"] if "user_pk" in item]
    assert [*contents.kept] == [episode["spilled"]]
    assert episode["spilled_bytes"] == 40_011
    assert len(str(episode)) < 1500


def test_copy_with_other_content_leaves_no_large_text(table: "Table", contents: InMemoryBlobs) -> None:
    fill(table, contents, 1, payload=LARGE)
    kept = dict(contents.kept)
    fill(table, contents, 1, payload={"text": "y" * 40_000})

    assert contents.kept == kept


def test_copy_of_a_forgotten_event_leaves_no_large_text(table: "Table", contents: InMemoryBlobs) -> None:
    DynamoEpisodes(table, contents).forget_event(recorded())
    DynamoEpisodes(table, contents).record_event(recorded(an_event(payload=LARGE)), extracted=None)

    assert contents.kept == {}


def test_event_is_not_recorded_if_its_large_payload_cannot_be_stored(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    contents.down = True
    with pytest.raises(UnavailableError):
        fill(table, contents, 1, payload=LARGE)
    assert table.scan()["Items"] == []
    contents.down = False

    ids = fill(table, contents, 1, payload=LARGE)
    assert walk(DynamoEpisodeReader(table, contents, clock), WANTED, 5)[0] == ids


def test_lost_payload_is_an_error_and_not_an_empty_payload(
    table: "Table", contents: InMemoryBlobs, clock: StoppedClock
) -> None:
    fill(table, contents, 1, payload=LARGE)
    contents.kept.clear()

    with pytest.raises(UnavailableError):
        walk(DynamoEpisodeReader(table, contents, clock), WANTED, 5)


def test_recent_events_leave_out_large_payloads(table: "Table", contents: InMemoryBlobs) -> None:
    episodes = DynamoEpisodes(table, contents)
    for event in (an_event("e1"), an_event("e2", payload=LARGE), an_event("e3", occurred_at=NOON + SECOND)):
        episodes.record_event(recorded(event), extracted=None)

    assert [event.event_id for event in DynamoRecentEvents(table).list_recent_events(ADA, limit=10)] == [
        "e3",
        "e1",
    ]
