"""The port FactStore, corrected by hand.

A new event is part of the commit, and a retracted fact is kept unseen.
"""

from datetime import timedelta

import pytest

from membus.core.errors import ConflictError, NotFoundError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from membus.facts.corrections import CORRECTIONS_VERSION, Correction, correction_event, observe_correction
from membus.facts.fact import fold
from membus.facts.ports import FactCommit, FactStore
from tests.factories import NOON, an_observation, learn


def correcting(owner: Owner, value: str | None, *, event_id: str = "c1", minute: int = 1) -> RecordedEvent:
    correction = Correction(key="home.city", value=value)
    return correction_event(correction, owner, event_id=event_id, at=NOON + timedelta(minutes=minute))


def correct(facts: FactStore, owner: Owner, event: RecordedEvent) -> FactCommit:
    (seen,) = observe_correction(event)
    fact = fold([*facts.list_observations(owner, seen.key), seen])
    assert fact is not None
    learned = FactCommit(
        profile=facts.get_profile(owner).with_facts([fact]),
        extractor=CORRECTIONS_VERSION,
        events=(),
        new_events=(event,),
        observations=(seen,),
        facts=(fact,),
    )
    facts.commit(learned)
    return learned


def test_a_correction_and_its_episode_are_one_commit(
    facts: FactStore, episodes: EpisodeStore, owner: Owner
) -> None:
    event = correcting(owner, "Porto")

    learned = correct(facts, owner, event)

    assert facts.get_fact(owner, "home.city") == learned.facts[0]
    assert facts.get_profile(owner) == learned.profile
    assert episodes.record_event(event, extracted=None) == event.model_copy(
        update={"extracted": CORRECTIONS_VERSION}
    )


def test_known_event_corrects_nothing(facts: FactStore, episodes: EpisodeStore, owner: Owner) -> None:
    event = correcting(owner, "Porto")
    episodes.record_event(event, extracted=None)

    with pytest.raises(ConflictError):
        correct(facts, owner, event)

    assert facts.get_profile(owner).version == 0
    assert facts.list_observations(owner) == []


def test_a_lost_race_records_no_event(facts: FactStore, episodes: EpisodeStore, owner: Owner) -> None:
    event = correcting(owner, "Porto")
    (seen,) = observe_correction(event)
    fact = fold([seen])
    assert fact is not None
    stale = facts.get_profile(owner).with_facts([fact])
    learn(facts, owner, an_observation("Lisbon"))

    with pytest.raises(ConflictError):
        facts.commit(
            FactCommit(
                profile=stale,
                extractor=CORRECTIONS_VERSION,
                events=(),
                new_events=(event,),
                observations=(seen,),
                facts=(fact,),
            )
        )

    assert episodes.record_event(event, extracted="later").extracted == "later"


def test_retracted_fact_is_kept_and_not_returned(facts: FactStore, owner: Owner) -> None:
    learn(facts, owner, an_observation("Lisbon"), an_observation("nurse", key="work.role", kind="work"))

    learned = correct(facts, owner, correcting(owner, None))

    with pytest.raises(NotFoundError):
        facts.get_fact(owner, "home.city")
    assert [fact.value for fact in facts.list_facts(owner, kind=None, limit=10, after=None).items] == [
        "nurse"
    ]
    assert facts.list_facts(owner, kind="place", limit=10, after=None).items == ()
    assert [fact.value for fact in facts.get_profile(owner).facts] == ["nurse"]
    assert [seen.value for seen in facts.list_observations(owner, "home.city")] == ["Lisbon", None]
    assert learned.facts[0].replaced == "Lisbon"


def test_correction_restores_a_retracted_fact(facts: FactStore, owner: Owner) -> None:
    learn(facts, owner, an_observation("Lisbon"))
    correct(facts, owner, correcting(owner, None))

    correct(facts, owner, correcting(owner, "Porto", event_id="c2", minute=2))

    assert (facts.get_fact(owner, "home.city").value, facts.get_fact(owner, "home.city").version) == (
        "Porto",
        3,
    )
    assert [fact.value for fact in facts.list_facts(owner, kind="place", limit=10, after=None).items] == [
        "Porto"
    ]
