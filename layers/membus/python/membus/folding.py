"""What new observations make of a user's facts: read as much of each key as that takes, and fold."""

from collections.abc import Iterable
from dataclasses import dataclass

from membus.domain.carrying import Carried, Trail
from membus.domain.claims import ordered
from membus.domain.event import Recorded
from membus.domain.facts import Fact, Observation, by_key, fact_of
from membus.domain.identity import Owner
from membus.domain.speakers import ZONE
from membus.ports.facts import FactLearning


@dataclass(frozen=True)
class Folded:
    """The facts as they will be, and what is carried of their keys where that changes."""

    facts: tuple[Fact, ...]
    carried: dict[str, Carried | None]


def fold_in(owner: Owner, observed: Iterable[Observation], facts: FactLearning) -> Folded:
    """Return what observations make of the facts they are about."""
    current, carried = list[Fact](), dict[str, Carried | None]()
    for key, seen in by_key(observed).items():
        before = facts.trail(owner, key)
        after = trail_with(owner, key, seen, before, facts).shortened()
        if fact := fact_of(after.whole):
            current.append(fact)
        if after.carried != before.carried:
            carried[key] = after.carried
    return Folded(tuple(current), carried)


def zones_by(owner: Owner, events: Iterable[Recorded], facts: FactLearning) -> list[Observation]:
    """Return what is known of a user's zone as far as it matters to events.

    For one of long ago all there is.
    """
    trail = facts.trail(owner, ZONE)
    if trail.carried is None or all(trail.carried.is_before(event) for event in events):
        return trail.observations
    return facts.observations(owner, ZONE)


def trail_with(
    owner: Owner, key: str, seen: Iterable[Observation], trail: Trail, facts: FactLearning
) -> Trail:
    """Return a key's trail with observations added; what comes too late for it is added to all there are."""
    new = list(seen)
    whole = trail if trail.takes(new) else Trail(tuple(ordered(facts.observations(owner, key))))
    return whole.with_(new)
