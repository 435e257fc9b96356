"""The port StateStore: versions that no race breaks, and an end that comes on time."""

from datetime import timedelta
from typing import Any

import pytest

from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.states.model import AgentSession
from membus.states.ports import StateStore
from tests.factories import NOON
from tests.fakes.clock import StoppedClock

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def session(owner: Owner) -> AgentSession:
    return AgentSession(tenant=owner.tenant, agent="guide", session_id="s1")


def put(
    states: StateStore,
    session: AgentSession,
    data: dict[str, Any],
    version: int | None = None,
    life: timedelta = HOUR,
) -> int:
    return states.put_state(session, data, expires_at=NOON + life, expected_version=version).version


def test_a_state_comes_back_as_it_was_put(states: StateStore, session: AgentSession) -> None:
    data = {"n": [1, 2.5, 0.1, -0.0, 1e300, None, True, {"ü": "😀"}], "": {}, "big": 2**63 - 1}

    written = states.put_state(session, data, expires_at=NOON + HOUR, expected_version=None)

    assert written == states.get_state(session)
    assert (written.data, written.version, written.expires_at) == (data, 1, NOON + HOUR)


def test_state_keeps_its_user_until_another_is_named_or_it_expires(
    states: StateStore, session: AgentSession, clock: StoppedClock
) -> None:
    def write(user: str | None, life: timedelta = HOUR) -> tuple[str | None, ...]:
        written = states.put_state(session, {}, expires_at=clock() + life, expected_version=None, user=user)
        listed = states.list_states(session.tenant, session.agent, limit=9, after=None).items
        return written.user_id, states.get_state(session).user_id, listed[0].user_id

    assert [write(user) for user in (None, "ada", None, "bob")] == [
        (who,) * 3 for who in (None, "ada", "ada", "bob")
    ]
    clock.advance(HOUR)
    assert write(None) == (None,) * 3


def test_every_write_counts_and_the_last_one_stays(states: StateStore, session: AgentSession) -> None:
    assert [put(states, session, {"step": step}) for step in (1, 2, 3)] == [1, 2, 3]
    assert states.get_state(session).data == {"step": 3}


def test_a_write_may_ask_for_the_version_it_read(states: StateStore, session: AgentSession) -> None:
    assert put(states, session, {"step": 1}, 0) == 1
    assert put(states, session, {"step": 2}, 1) == 2

    assert states.get_state(session).data == {"step": 2}


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_stale_write_gets_the_current_version(
    states: StateStore, session: AgentSession, expected: int
) -> None:
    put(states, session, {"step": 1})
    put(states, session, {"step": 2})

    with pytest.raises(ConflictError) as conflict:
        put(states, session, {"step": "stale"}, expected)

    assert conflict.value.version == 2
    assert states.get_state(session).data == {"step": 2}


def test_write_with_a_version_of_a_missing_state_is_a_conflict(
    states: StateStore, session: AgentSession
) -> None:
    with pytest.raises(ConflictError) as conflict:
        put(states, session, {}, 4)

    assert conflict.value.version == 0
    with pytest.raises(NotFoundError):
        states.get_state(session)
    assert states.list_states(session.tenant, session.agent, limit=10, after=None).items == ()


def test_a_state_is_there_until_its_last_second_and_not_after(
    states: StateStore, session: AgentSession, clock: StoppedClock
) -> None:
    put(states, session, {"step": 1})

    clock.advance(HOUR - SECOND)
    assert states.get_state(session).version == 1
    assert len(states.list_states(session.tenant, session.agent, limit=10, after=None).items) == 1
    clock.advance(SECOND)
    with pytest.raises(NotFoundError):
        states.get_state(session)
    with pytest.raises(NotFoundError):
        states.delete_state(session, expected_version=None)
    assert states.list_states(session.tenant, session.agent, limit=10, after=None).items == ()


@pytest.mark.parametrize("expected", [None, 0])
def test_expired_state_counts_as_missing(
    states: StateStore, session: AgentSession, clock: StoppedClock, expected: int | None
) -> None:
    put(states, session, {"step": 1})
    put(states, session, {"step": 2})
    clock.advance(HOUR)

    assert put(states, session, {"new": True}, expected, life=2 * HOUR) == 1
    assert states.get_state(session).data == {"new": True}


def test_an_expired_version_cannot_be_continued(
    states: StateStore, session: AgentSession, clock: StoppedClock
) -> None:
    put(states, session, {"step": 1})
    clock.advance(HOUR)

    with pytest.raises(ConflictError) as conflict:
        put(states, session, {"step": 2}, 1, life=2 * HOUR)

    assert conflict.value.version == 0


def test_a_deleted_state_is_gone_and_starts_anew(states: StateStore, session: AgentSession) -> None:
    put(states, session, {"step": 1})
    states.delete_state(session, expected_version=None)

    with pytest.raises(NotFoundError):
        states.delete_state(session, expected_version=None)
    assert put(states, session, {"step": 1}, 0) == 1


def test_deleting_may_ask_for_a_version_too(states: StateStore, session: AgentSession) -> None:
    put(states, session, {"step": 1})
    put(states, session, {"step": 2})

    with pytest.raises(ConflictError) as conflict:
        states.delete_state(session, expected_version=1)
    assert conflict.value.version == 2
    states.delete_state(session, expected_version=2)

    with pytest.raises(NotFoundError):
        states.delete_state(session, expected_version=2)


def test_sessions_are_listed_page_by_page_and_expired_ones_leave_empty_pages(
    states: StateStore, session: AgentSession, clock: StoppedClock
) -> None:
    for number in range(5):
        short = number in {1, 2}
        put(
            states,
            AgentSession(**dict(session) | {"session_id": f"s{number}"}),
            {},
            life=HOUR if short else 2 * HOUR,
        )
    clock.advance(HOUR)

    seen, pages, after = [], 0, None
    while pages == 0 or after:
        page = states.list_states(session.tenant, session.agent, limit=1, after=after)
        seen += [lease.session_id for lease in page.items]
        pages, after = pages + 1, page.after

    assert seen == ["s0", "s3", "s4"]
    assert pages >= 5


def test_ids_with_a_common_prefix_share_nothing(states: StateStore, session: AgentSession) -> None:
    neighbours = [
        session,
        AgentSession(tenant=session.tenant, agent="guide1", session_id="s1"),
        AgentSession(tenant=session.tenant, agent="guide", session_id="s10"),
        AgentSession(tenant=f"{session.tenant}x", agent="guide", session_id="s1"),
    ]
    for number, neighbour in enumerate(neighbours):
        put(states, neighbour, {"mine": number})

    assert [states.get_state(neighbour).data["mine"] for neighbour in neighbours] == [0, 1, 2, 3]
    listed = states.list_states(session.tenant, "guide", limit=10, after=None)
    assert [lease.session_id for lease in listed.items] == ["s1", "s10"]


def test_large_state_is_read_like_a_small_one(states: StateStore, session: AgentSession) -> None:
    large, larger = {"text": "é" * 20_000}, {"text": "x" * 500_000}

    assert put(states, session, large, 0) == 1
    assert states.get_state(session).data == large
    assert put(states, session, larger, 1) == 2
    assert states.get_state(session).data == larger
    assert put(states, session, {"small": True}) == 3
    assert states.get_state(session).data == {"small": True}
