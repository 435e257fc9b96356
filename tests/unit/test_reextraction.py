"""scripts/reextraction: what replay and shadow read again, from both tiers, without erased episodes."""

from datetime import timedelta

import pytest

from membus.core.erasure import Erasure, erasure_subject
from membus.core.errors import UnavailableError
from membus.erasure.guard import ErasureGuard
from scripts.reextraction.replay import list_episodes
from tests.factories import ADA, NOON, an_event, recorded
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.erasures import InMemoryErasures

HOUR = timedelta(hours=1)


def read(*erasures: Erasure) -> list[str]:
    kept = InMemoryEpisodes()
    for number in range(3):
        event = an_event(f"e{number}", agent_id=f"agent{number}", occurred_at=NOON + number * HOUR)
        kept.record_event(recorded(event), extracted=None)
    gate = ErasureGuard(InMemoryErasures(*erasures))
    return [each.event.event_id for each in list_episodes(ADA, kept, gate)]


def erased(*, running: bool) -> Erasure:
    subject = erasure_subject(ADA.tenant, ADA.user)
    return Erasure(tenant=ADA.tenant, subject=subject, before=NOON + HOUR, running=running)


def test_all_episodes_of_a_user_are_read_of_any_agent() -> None:
    assert read() == ["e0", "e1", "e2"]


def test_erased_episode_that_a_restore_brought_back_is_not_read() -> None:
    assert read(erased(running=False)) == ["e2"]


def test_user_who_is_being_erased_is_not_read() -> None:
    with pytest.raises(UnavailableError, match="being erased"):
        read(erased(running=True))
