"""The port FactStore.

One commit writes all or nothing, and what was learned stays in the order it was learned.
"""

from datetime import timedelta

import pytest

from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from membus.facts.fact import list_versions
from membus.facts.observation import Observation, Trust
from membus.facts.ports import FactCommit, FactStore
from tests.factories import NOON, a_fact, an_event, an_observation, learn, recorded

LATER = NOON + timedelta(days=1)


def keyed(key: str, value: str, *, event_id: str = "e1", day: int = 0) -> Observation:
    moment = NOON + timedelta(days=day)
    return an_observation(value, key=key, event_id=event_id, valid_from=moment)


def test_unknown_user_has_an_empty_profile(facts: FactStore, owner: Owner) -> None:
    profile = facts.get_profile(owner)

    assert (profile.owner, profile.version, profile.facts) == (owner, 0, ())
    assert facts.list_observations(owner) == []
    with pytest.raises(NotFoundError):
        facts.get_fact(owner, "home.city")


def test_a_commit_writes_observation_fact_and_profile(facts: FactStore, owner: Owner) -> None:
    learned = learn(facts, owner, an_observation("Lisbon"))

    assert facts.get_profile(owner) == learned.profile
    assert facts.get_fact(owner, "home.city") == learned.facts[0] == a_fact("Lisbon")
    assert facts.list_observations(owner, "home.city") == [an_observation("Lisbon")]


def test_a_commit_marks_its_events_as_read(facts: FactStore, episodes: EpisodeStore, owner: Owner) -> None:
    event = recorded(an_event(owner=owner))
    episodes.record_event(event, extracted=None)

    learn(facts, owner, an_observation("Lisbon"), events=[event])

    assert episodes.record_event(event, extracted=None).extracted == "v1"


def test_events_without_facts_are_marked_as_read(
    facts: FactStore, episodes: EpisodeStore, owner: Owner
) -> None:
    event = recorded(an_event(owner=owner))
    episodes.record_event(event, extracted=None)

    learn(facts, owner, events=[event])

    assert episodes.record_event(event, extracted=None).extracted == "v1"
    assert facts.get_profile(owner).version == 0


def test_a_commit_for_an_event_that_was_never_recorded_writes_nothing(facts: FactStore, owner: Owner) -> None:
    with pytest.raises(ConflictError):
        learn(facts, owner, an_observation("Lisbon"), events=[recorded(an_event(owner=owner))])

    assert facts.get_profile(owner).version == 0
    assert facts.list_observations(owner) == []


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_commit_on_a_stale_profile_writes_nothing(facts: FactStore, owner: Owner, version: int) -> None:
    before = learn(facts, owner, keyed("home.city", "Lisbon")).profile
    late = keyed("work.role", "nurse", event_id="e2")
    profile = before.with_facts([a_fact("nurse", key="work.role")]).model_copy(update={"version": version})

    with pytest.raises(ConflictError):
        facts.commit(
            FactCommit(profile=profile, extractor="v1", events=(), observations=(late,), facts=profile.facts)
        )

    assert facts.get_profile(owner) == before
    assert [seen.value for seen in facts.list_observations(owner)] == ["Lisbon"]
    with pytest.raises(NotFoundError):
        facts.get_fact(owner, "work.role")


def test_two_first_commits_at_once_are_one_commit_and_one_conflict(facts: FactStore, owner: Owner) -> None:
    unread = facts.get_profile(owner)
    learn(facts, owner, keyed("home.city", "Lisbon"))
    fact = a_fact("nurse", key="work.role")
    rival = FactCommit(profile=unread.with_facts([fact]), extractor="v1", events=(), facts=(fact,))

    with pytest.raises(ConflictError):
        facts.commit(rival)

    assert [fact.value for fact in facts.get_profile(owner).facts] == ["Lisbon"]


def test_an_observation_written_twice_is_one(facts: FactStore, owner: Owner) -> None:
    for _ in range(2):
        learn(facts, owner, an_observation("Lisbon"))

    assert facts.list_observations(owner, "home.city") == [an_observation("Lisbon")]
    assert facts.get_profile(owner).version == 2


def test_history_is_in_the_order_of_recording(facts: FactStore, owner: Owner) -> None:
    long_ago = NOON - timedelta(days=10_000)
    for number, learned_at in enumerate([LATER, NOON, LATER + timedelta(milliseconds=1), long_ago]):
        seen = an_observation(str(number), event_id=f"e{number}", learned_at=learned_at)
        learn(facts, owner, seen)

    assert [seen.value for seen in facts.list_observations(owner, "home.city")] == ["3", "1", "0", "2"]
    assert [version.value for version in list_versions(facts.list_observations(owner))] == [
        "3",
        "1",
        "0",
        "2",
    ]


def test_keys_and_users_with_a_common_prefix_are_distinct(facts: FactStore, owner: Owner) -> None:
    other = Owner(tenant=owner.tenant, user="user10")
    learn(facts, owner, keyed("likes", "one"), keyed("likes.x", "two"), keyed("likes.xy", "three"))
    learn(facts, other, keyed("likes", "four"))

    assert [seen.value for seen in facts.list_observations(owner, "likes")] == ["one"]
    assert [seen.value for seen in facts.list_observations(owner, "likes.x")] == ["two"]
    assert [seen.value for seen in facts.list_observations(other)] == ["four"]
    assert facts.get_profile(other).version == 1


def test_the_same_user_of_another_tenant_is_somebody_else(facts: FactStore, owner: Owner) -> None:
    learn(facts, owner, an_observation("Lisbon"))
    stranger = Owner(tenant=f"{owner.tenant}x", user=owner.user)

    assert facts.get_profile(stranger).facts == ()
    assert facts.list_observations(stranger) == []
    assert facts.list_facts(stranger, kind=None, limit=10, after=None).items == ()
    with pytest.raises(NotFoundError):
        facts.get_fact(stranger, "home.city")


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_hold_every_fact_once_in_the_order_of_keys(facts: FactStore, owner: Owner, limit: int) -> None:
    keys = [f"likes.{letter}" for letter in "gfedcba"]
    learn(facts, owner, *(keyed(key, key) for key in keys))

    assert [fact.key for fact in every_page(facts, owner, kind=None, limit=limit)] == sorted(keys)


def test_empty_filtered_page_may_have_a_next_page(facts: FactStore, owner: Owner) -> None:
    places = [keyed(f"a{number}", "x") for number in range(3)]
    wanted = an_observation("nurse", key="work.role", kind="work")
    learn(facts, owner, *places, wanted)

    first = facts.list_facts(owner, kind="work", limit=2, after=None)

    assert first.items == ()
    assert first.after is not None
    assert [fact.value for fact in every_page(facts, owner, kind="work", limit=2)] == ["nurse"]


def every_page(facts: FactStore, owner: Owner, *, kind: str | None, limit: int) -> list[Observation]:
    found: list[Observation] = []
    after: dict[str, str] | None = None
    for _ in range(20):
        page = facts.list_facts(owner, kind=kind, limit=limit, after=after)
        assert len(page.items) <= limit
        found += page.items
        after = page.after
        if after is None:
            return found
    raise AssertionError("pages that never end")


def test_a_full_profile_is_built_anew_from_every_fact(facts: FactStore, owner: Owner) -> None:
    """What was left out of a full profile comes back when a place falls free, whichever came first."""
    for number in range(3):
        learn(facts, owner, keyed(f"likes.v{number}", "tea", event_id=f"e{number}"))
    profile = facts.get_profile(owner)
    cut = profile.model_copy(
        update={"version": profile.version + 1, "facts": profile.facts[:1], "complete": False}
    )
    facts.commit(FactCommit(profile=cut, extractor="x", events=(), facts=(a_fact(key="likes.v9"),)))

    base = facts.get_full_profile(owner)

    assert (len(facts.get_profile(owner).facts), base.version) == (1, cut.version)
    assert {fact.key for fact in base.facts} == {"likes.v0", "likes.v1", "likes.v2", "likes.v9"}


def test_correction_restores_a_superseded_value(facts: FactStore, owner: Owner) -> None:
    learn(facts, owner, an_observation("Lisbon"))
    learn(facts, owner, an_observation("Rome", event_id="e2", valid_from=LATER))
    before = next(
        version
        for version in list_versions(facts.list_observations(owner, "home.city"))
        if not version.current
    )

    again = LATER + timedelta(days=1)
    learn(facts, owner, an_observation(before.value, event_id="e3", valid_from=again, trust=Trust.CORRECTED))

    assert (facts.get_fact(owner, "home.city").value, facts.get_fact(owner, "home.city").replaced) == (
        "Lisbon",
        "Rome",
    )


def test_end_repetitions_and_conflicts_of_a_fact_are_stored(facts: FactStore, owner: Owner) -> None:
    why = an_observation().provenance.model_copy(update={"event_id": "e2", "agent_id": "mail"})
    until = LATER + timedelta(days=9)
    learn(facts, owner, an_observation("Lisbon"), an_observation("Rome", event_id="e3", valid_until=until))
    learn(facts, owner, an_observation("Paris", valid_from=NOON - timedelta(hours=1), provenance=why))

    fact = facts.get_fact(owner, "home.city")

    assert (fact.value, fact.valid_until, fact.seen) == ("Rome", until, 1)
    assert [(each.value, each.agent_id) for each in fact.conflicts] == [("Paris", "mail")]
    assert facts.get_profile(owner).facts == (fact,)
