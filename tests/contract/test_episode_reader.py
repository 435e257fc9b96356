"""The port EpisodeReader: episodes in time order, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from membus.core.identity import Owner
from membus.episodes.model import Episode, EpisodeQuery
from membus.episodes.ports import EpisodeReader, EpisodeStore
from tests.factories import NOON, an_event, recorded, said

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)


def happened(
    episodes: EpisodeStore, owner: Owner, event_id: str, at: datetime = NOON, **members: Any
) -> None:
    event = an_event(event_id, owner=owner, **{"agent_id": "guide", "occurred_at": at} | members)
    episodes.record_event(recorded(event), extracted=None)


def wanted(owner: Owner, **members: Any) -> EpisodeQuery:
    fields = {"tenant": owner.tenant, "agent": "guide", "start": NOON - 5 * DAY, "end": NOON + 5 * DAY}
    return EpisodeQuery.model_validate(fields | members)


def walk(reader: EpisodeReader, query: EpisodeQuery, *, limit: int = 50) -> list[str]:
    """Read page after page, and return the ids; no page may hold more than it was asked for."""
    ids: list[str] = []
    after: dict[str, str] | None = None
    while True:
        page = reader.list_episodes(query, limit=limit, after=after)
        assert len(page.items) <= limit
        ids += [episode.event.event_id for episode in page.items]
        after = page.after
        if after is None:
            return ids


def test_an_episode_is_readable_as_it_was_recorded(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner
) -> None:
    event = an_event(owner=owner, agent_id="guide", session_id="s1", payload={"n": [0.1, 1e300, {"ü": "😀"}]})
    episodes.record_event(recorded(event), extracted="v1")

    page = reader.list_episodes(wanted(owner), limit=10, after=None)

    assert page.items == (Episode(event=event, learned_at=NOON + SECOND, tier="hot"),)
    assert page.after is None


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_episodes_are_in_time_order_across_days_at_any_page_size(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner, limit: int
) -> None:
    moments = [NOON + day * DAY + second * SECOND for day in (-3, -2, 0, 1) for second in (-2, 0, 5)]
    moments += [datetime(2026, 2, 28, 23, 59, 59, 999_000, UTC), datetime(2026, 3, 1, tzinfo=UTC)]
    for number, moment in enumerate(reversed(moments)):
        happened(episodes, owner, f"e{number}", moment)
    names = {moment: f"e{number}" for number, moment in enumerate(reversed(moments))}

    assert walk(reader, wanted(owner), limit=limit) == [names[moment] for moment in sorted(moments)]


def test_a_range_begins_with_its_start_and_ends_before_its_end(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner
) -> None:
    for name, moment in {
        "before": NOON - MILLISECOND,
        "start": NOON,
        "late": NOON + DAY,
        "end": NOON + 2 * DAY,
    }.items():
        happened(episodes, owner, name, moment)

    assert walk(reader, wanted(owner, start=NOON, end=NOON + 2 * DAY)) == ["start", "late"]
    assert walk(reader, wanted(owner, start=NOON, end=NOON + 2 * DAY + MILLISECOND)) == [
        "start",
        "late",
        "end",
    ]
    assert walk(reader, wanted(owner, start=NOON, end=NOON)) == []


@pytest.mark.parametrize("limit", [1, 50])
def test_episodes_of_one_session_or_one_user(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner, limit: int
) -> None:
    for number in range(8):
        moment = NOON + number * DAY / 2
        session = {} if number == 7 else {"session_id": f"s{number % 2 or ''}"}
        happened(episodes, owner, f"e{number}", moment, user_id=f"user1{number // 4 or ''}", **session)
    happened(episodes, owner, "elsewhere", agent_id="guide1", user_id="user1", session_id="s")

    assert walk(reader, wanted(owner, session_id="s"), limit=limit) == ["e0", "e2", "e4", "e6"]
    assert walk(reader, wanted(owner, user_id="user1"), limit=limit) == ["e0", "e1", "e2", "e3"]
    assert walk(reader, wanted(owner, user_id="user11"), limit=limit) == ["e4", "e5", "e6", "e7"]
    assert walk(reader, wanted(owner, user_id="user1", session_id="s1"), limit=limit) == ["e1", "e3"]
    late = wanted(owner, user_id="user1", start=NOON + DAY)
    assert walk(reader, late, limit=limit) == ["e2", "e3"]


def test_ids_with_a_common_prefix_share_nothing(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner
) -> None:
    neighbour = Owner(tenant=f"{owner.tenant}x", user=owner.user)
    for agent in ("guide", "guide1", "guid"):
        happened(episodes, owner, f"mine-{agent}", agent_id=agent)
        happened(episodes, neighbour, f"theirs-{agent}", agent_id=agent)

    assert walk(reader, wanted(owner)) == ["mine-guide"]
    assert walk(reader, wanted(owner, user_id=owner.user)) == ["mine-guide"]
    assert walk(reader, wanted(neighbour, agent="guide1")) == ["theirs-guide1"]


def test_a_forgotten_event_is_no_episode(episodes: EpisodeStore, reader: EpisodeReader, owner: Owner) -> None:
    episodes.forget_event(recorded(said("my secret", owner=owner, agent_id="guide")))

    assert walk(reader, wanted(owner)) == []


def test_next_page_continues_where_the_last_one_ended(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner
) -> None:
    for number in range(4):
        happened(episodes, owner, f"e{number}", NOON + number * SECOND)
    first = reader.list_episodes(wanted(owner), limit=2, after=None)
    happened(episodes, owner, "earlier", NOON - DAY)
    happened(episodes, owner, "between", NOON + 2.5 * SECOND)

    rest = reader.list_episodes(wanted(owner), limit=10, after=first.after)

    assert [episode.event.event_id for episode in first.items] == ["e0", "e1"]
    assert [episode.event.event_id for episode in rest.items] == ["e2", "between", "e3"]


def test_large_payload_is_read_like_a_small_one(
    episodes: EpisodeStore, reader: EpisodeReader, owner: Owner
) -> None:
    large = an_event("large", owner=owner, agent_id="guide", payload={"text": "é" * 90_000, "n": 0.1})
    altered = large.model_copy(update={"payload": {"text": "x" * 90_000}})

    assert episodes.record_event(recorded(large), extracted=None) == recorded(large)
    assert episodes.record_event(recorded(altered), extracted=None) == recorded(large)
    assert episodes.record_event(recorded(large), extracted=None) == recorded(large)
    assert [episode.event for episode in reader.list_episodes(wanted(owner), limit=10, after=None).items] == [
        large
    ]
