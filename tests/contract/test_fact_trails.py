"""The port FactStore where a key has more observations than anybody wants to read.

The same fact, by bounded reads.
"""

from datetime import timedelta

import pytest

from membus.core.identity import Owner
from membus.facts.commit import fold_observations
from membus.facts.fact import RECENT_OBSERVATIONS_KEPT, RECENT_OBSERVATIONS_MAX, fold, position_of
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit, FactStore
from tests.factories import NOON, an_observation

TOGGLES = RECENT_OBSERVATIONS_MAX + 15
HOUR = timedelta(hours=1)
KEY = "setting.theme"


def toggled(number: int, **told: object) -> Observation:
    fields = {
        "key": KEY,
        "kind": "setting",
        "event_id": f"e{number:04d}",
        "valid_from": NOON + HOUR * number,
    } | told
    return an_observation("dark" if number % 2 else "light", **fields)  # type: ignore[arg-type]


def learn(facts: FactStore, owner: Owner, *seen: Observation) -> None:
    """Commit observations as extract does."""
    folded, profile = fold_observations(owner, seen, facts), facts.get_full_profile(owner)
    facts.commit(
        FactCommit(
            profile=profile.with_facts(folded.facts),
            extractor="v1",
            events=(),
            observations=seen,
            facts=folded.facts,
            snapshots=folded.snapshots,
        )
    )


@pytest.fixture
def busy(facts: FactStore, owner: Owner) -> FactStore:
    """A setting that was toggled more often than is read for a change, a dozen at a time."""
    every = [toggled(number) for number in range(TOGGLES)]
    for start in range(0, TOGGLES, 12):
        learn(facts, owner, *every[start : start + 12])
    return facts


def test_bounded_read_of_a_history_gives_the_same_fact(busy: FactStore, owner: Owner) -> None:
    trail = busy.get_history(owner, KEY)

    assert trail.snapshot
    assert RECENT_OBSERVATIONS_KEPT <= len(trail.recent) <= RECENT_OBSERVATIONS_MAX
    assert trail.snapshot.count + len(trail.recent) == TOGGLES
    assert busy.get_fact(owner, KEY) == fold(busy.list_observations(owner, KEY))


def test_late_observation_is_placed_in_the_past(busy: FactStore, owner: Owner) -> None:
    late = toggled(0, event_id="late", valid_from=NOON - HOUR, learned_at=NOON)

    learn(busy, owner, late)

    assert busy.get_fact(owner, KEY) == fold(busy.list_observations(owner, KEY))
    assert busy.get_fact(owner, KEY).version == TOGGLES + 1
    learn(busy, owner, toggled(TOGGLES))
    assert busy.get_fact(owner, KEY) == fold(busy.list_observations(owner, KEY))


def test_copy_of_an_old_observation_changes_nothing(busy: FactStore, owner: Owner) -> None:
    before = busy.get_fact(owner, KEY)

    learn(busy, owner, toggled(3))

    assert busy.get_fact(owner, KEY) == before


def test_history_is_paged_in_both_directions(busy: FactStore, owner: Owner) -> None:
    every = busy.list_observations(owner, KEY)

    first = busy.list_observation_range(owner, KEY, beyond=None, limit=10)
    second = busy.list_observation_range(owner, KEY, beyond=position_of(first[-1]), limit=10)

    assert [*first, *second] == every[:20]
    assert (
        busy.list_observation_range(owner, KEY, beyond=position_of(second[0]), limit=4, backwards=True)
        == every[6:10]
    )
    assert busy.list_observation_range(owner, KEY, beyond=None, limit=3, backwards=True) == every[-3:]
    assert busy.list_observation_range(owner, KEY, beyond=position_of(every[-1]), limit=3) == []


def test_each_write_of_a_fact_has_a_revision_of_its_own(facts: FactStore, owner: Owner) -> None:
    revisions = []
    for number in range(3):
        learn(facts, owner, toggled(number), an_observation(event_id=f"h{number}"))
        revisions.append(facts.get_versioned_fact(owner, KEY).revision)

    assert revisions == sorted(set(revisions))
