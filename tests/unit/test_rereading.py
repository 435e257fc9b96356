"""scripts/rereading: what replay and shadow read again, from both tiers, and never what was erased."""

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


def test_all_that_a_user_did_is_read_whatever_the_agent() -> None:
    assert read() == ["e0", "e1", "e2"]


def test_what_was_erased_is_not_read_again_though_a_restore_brought_it_back() -> None:
    assert read(erased(running=False)) == ["e2"]


def test_somebody_who_is_being_erased_is_not_read() -> None:
    with pytest.raises(UnavailableError, match="being erased"):
        read(erased(running=True))
