"""Folding new observations into a user's facts, reading only as much of each key as that takes."""

from collections.abc import Iterable
from dataclasses import dataclass

from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.facts.attributes import TIMEZONE_KEY
from membus.facts.fact import Fact, ObservationHistory, ObservationSnapshot, fact_from_snapshot, group_by_key
from membus.facts.observation import Observation
from membus.facts.ports import FactWriter
from membus.facts.resolution import in_learning_order


@dataclass(frozen=True)
class FactUpdate:
    """The facts after a change, and by key the snapshots that it replaces (None: removes)."""

    facts: tuple[Fact, ...]
    snapshots: dict[str, ObservationSnapshot | None]


def fold_observations(owner: Owner, observations: Iterable[Observation], facts: FactWriter) -> FactUpdate:
    """Return the facts of the keys that observations are about, with the observations folded in."""
    current, snapshots = list[Fact](), dict[str, ObservationSnapshot | None]()
    for key, new in group_by_key(observations).items():
        before = facts.get_history(owner, key)
        after = extend_history(owner, key, new, before, facts).compact_older()
        if fact := fact_from_snapshot(after.full_snapshot):
            current.append(fact)
        if after.snapshot != before.snapshot:
            snapshots[key] = after.snapshot
    return FactUpdate(tuple(current), snapshots)


def list_timezone_observations(
    owner: Owner, events: Iterable[RecordedEvent], facts: FactWriter
) -> list[Observation]:
    """Return the observations of a user's time zone that matter to events; for an old event, all of them."""
    history = facts.get_history(owner, TIMEZONE_KEY)
    if history.snapshot is None or all(map(history.snapshot.is_before, events)):
        return history.relevant_observations
    return facts.list_observations(owner, TIMEZONE_KEY)


def extend_history(
    owner: Owner, key: str, new: Iterable[Observation], history: ObservationHistory, facts: FactWriter
) -> ObservationHistory:
    """Return a key's history with observations added.

    One that comes too late is added to all observations.
    """
    added = list(new)
    if not history.can_append(added):
        history = ObservationHistory(tuple(in_learning_order(facts.list_observations(owner, key))))
    return history.with_observations(added)
