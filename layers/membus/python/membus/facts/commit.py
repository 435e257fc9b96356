"""Folding new observations into a user's facts, reading only as much of each key as that takes."""

from collections.abc import Iterable
from dataclasses import dataclass

from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.facts.attributes import TIMEZONE_KEY
from membus.facts.fact import Fact, ObservationHistory, ObservationSnapshot, fact_from_snapshot, group_by_key
from membus.facts.observation import Observation
from membus.facts.ports import FactWriter
from membus.facts.resolution import in_learning_order, outranks


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


class CurrentFacts:
    """The current facts of a user in the middle of a batch: the stored ones and what earlier events said.

    They are read when they are first asked for. They serve to name what an event ends and to count what it
    changes; the fold of all observations decides what is current.
    """

    def __init__(self, owner: Owner, facts: FactWriter) -> None:
        self._owner, self._store = owner, facts
        self._by_key: dict[str, Fact] | None = None
        self._said: list[Observation] = []

    @property
    def facts(self) -> list[Fact]:
        if self._by_key is None:
            self._by_key = {fact.key: fact for fact in self._store.get_full_profile(self._owner).facts}
        for seen in self._said:
            self._apply(seen, self._by_key)
        self._said.clear()
        return list(self._by_key.values())

    def add_observations(self, observations: Iterable[Observation]) -> None:
        self._said += observations

    @staticmethod
    def _apply(seen: Observation, by_key: dict[str, Fact]) -> None:
        before = by_key.get(seen.key)
        if seen.is_retracted or (seen.denies and before and seen.names_value_of(before)):
            by_key.pop(seen.key, None)
        elif not seen.denies and (before is None or outranks(seen, before)):
            by_key[seen.key] = Fact(**dict(seen), version=1)
