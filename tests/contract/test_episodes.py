"""The port EpisodeStore: an id seen again is the same event, whatever else the copy says."""

from datetime import timedelta

import pytest

from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from tests.factories import NOON, an_event, recorded, said


def test_a_new_event_is_recorded_as_it_came(episodes: EpisodeStore, owner: Owner) -> None:
    event = recorded(
        an_event(owner=owner, session_id="s", agent_id="a", payload={"n": [1, 2.5, None, {"ü": "😀"}]})
    )

    assert episodes.record_event(event, extracted=None) == event
    assert episodes.record_event(event, extracted=None) == event


def test_first_copy_of_an_event_wins(episodes: EpisodeStore, owner: Owner) -> None:
    first = recorded(said("I live in Lisbon.", owner=owner))
    altered = recorded(
        said(
            "I live in Paris.",
            owner=owner,
            agent_id="b",
            occurred_at=NOON + timedelta(days=3),
        ),
        learned_at=NOON + timedelta(days=4),
    )
    episodes.record_event(first, extracted=None)

    assert episodes.record_event(altered, extracted="v9") == first


def test_copy_gets_the_extractor_version_of_the_first(episodes: EpisodeStore, owner: Owner) -> None:
    event = recorded(an_event(owner=owner))

    assert episodes.record_event(event, extracted="v1").extracted == "v1"
    assert episodes.record_event(event, extracted=None).extracted == "v1"
    assert episodes.record_event(event, extracted="v2").extracted == "v1"


def test_event_that_was_not_read_has_no_extractor_version(episodes: EpisodeStore, owner: Owner) -> None:
    event = recorded(an_event(owner=owner))
    episodes.record_event(event, extracted=None)

    assert episodes.record_event(event, extracted="v1").extracted is None


def test_forgotten_event_is_known_without_its_content(episodes: EpisodeStore, owner: Owner) -> None:
    secret = recorded(said("my secret", owner=owner, remember=False))
    episodes.forget_event(secret)
    copy = recorded(said("harmless", owner=owner))

    assert episodes.record_event(copy, extracted=None) == copy.model_copy(update={"extracted": FORGOTTEN})


def test_forgetting_a_recorded_event_changes_nothing(episodes: EpisodeStore, owner: Owner) -> None:
    event = recorded(an_event(owner=owner))
    episodes.record_event(event, extracted="v1")

    episodes.forget_event(recorded(an_event(owner=owner, remember=False)))

    assert episodes.record_event(event, extracted=None).extracted == "v1"


def test_the_same_id_of_another_tenant_is_another_event(episodes: EpisodeStore, owner: Owner) -> None:
    mine = recorded(said("mine", owner=owner))
    theirs = recorded(said("theirs", owner=Owner(tenant=f"{owner.tenant}x", user=owner.user)))
    episodes.record_event(mine, extracted="v1")

    assert episodes.record_event(theirs, extracted=None) == theirs


@pytest.mark.parametrize("event_id", ["e1", "a:b", "T=U", "~", "é" * 128, "x" * 128])
def test_any_valid_id_finds_its_event(episodes: EpisodeStore, owner: Owner, event_id: str) -> None:
    event = recorded(an_event(event_id, owner=owner))

    assert (
        episodes.record_event(event, extracted=None) == episodes.record_event(event, extracted=None) == event
    )


def test_one_id_of_two_users_is_two_events(episodes: EpisodeStore, owner: Owner) -> None:
    first = recorded(said("I live in Lisbon.", owner=owner))
    other = recorded(said("I live in Rome.", owner=Owner(tenant=owner.tenant, user="mallory")))
    episodes.record_event(first, extracted=None)

    assert episodes.record_event(other, extracted=None) == other
    assert episodes.record_event(first, extracted=None) == first
