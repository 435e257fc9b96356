"""What new observations make of a user's facts: read as much of each key as that takes, and fold."""

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
    """The facts as they will be, and what is carried of their keys where that changes."""

    facts: tuple[Fact, ...]
    carried: dict[str, ObservationSnapshot | None]


def fold_observations(owner: Owner, observed: Iterable[Observation], facts: FactWriter) -> FactUpdate:
    """Return what observations make of the facts they are about."""
    current, carried = list[Fact](), dict[str, ObservationSnapshot | None]()
    for key, seen in group_by_key(observed).items():
        before = facts.get_history(owner, key)
        after = extend_history(owner, key, seen, before, facts).compact_older()
        if fact := fact_from_snapshot(after.full_snapshot):
            current.append(fact)
        if after.carried != before.carried:
            carried[key] = after.carried
    return FactUpdate(tuple(current), carried)


def list_timezone_observations(
    owner: Owner, events: Iterable[RecordedEvent], facts: FactWriter
) -> list[Observation]:
    """Return what is known of a user's zone as far as it matters to events.

    For one of long ago all there is.
    """
    trail = facts.get_history(owner, TIMEZONE_KEY)
    if trail.carried is None or all(trail.carried.is_before(event) for event in events):
        return trail.relevant_observations
    return facts.list_observations(owner, TIMEZONE_KEY)


def extend_history(
    owner: Owner, key: str, seen: Iterable[Observation], trail: ObservationHistory, facts: FactWriter
) -> ObservationHistory:
    """Return a key's trail with observations added; what comes too late for it is added to all there are."""
    new = list(seen)
    whole = (
        trail
        if trail.can_append(new)
        else ObservationHistory(tuple(in_learning_order(facts.list_observations(owner, key))))
    )
    return whole.with_observations(new)
