"""Which of several observations of one key holds: pure, and the same in whatever order they come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from membus.domain.observations import Kind, Observation, Trust

ACTS: frozenset[Kind] = frozenset({"setting", "behaviour"})
"""What somebody does is so because they did it: doing otherwise changes it and contradicts nothing."""
CONFLICTS_MAX = 3
"""Conflicts travel with the fact in the profile; the history holds them all."""


@dataclass(frozen=True)
class Settled:
    """`sightings` said the same as `current` since it took over; `against` are other sources' equal claims."""

    current: Observation
    replaced: str | None
    sightings: tuple[Observation, ...]
    against: tuple[Observation, ...]


def ordered(observations: Iterable[Observation]) -> list[Observation]:
    """Return the observations in the order they were learned, each once."""
    return sorted(dict.fromkeys(observations), key=_by_learning)


def settled(observations: Iterable[Observation]) -> Settled | None:
    """Return what holds among observations with a value.

    Later knowledge wins over what is trusted as much or less; what is trusted less wins only over what has ended.
    """
    heard = sorted(observations, key=_by_truth)
    sightings: list[Observation] = []
    current: Observation | None = None
    replaced: str | None = None
    for seen in heard:
        if current is None:
            current, sightings = seen, [seen]
        elif seen.says_as(current):
            current, sightings = (seen if _outranks(seen, current) else current), [*sightings, seen]
        elif seen.trust.rank >= current.trust.rank or _ended(current, seen):
            current, sightings, replaced = seen, [seen], current.value
    return Settled(current, replaced, tuple(sightings), _against(current, sightings, heard)) if current else None


def _outranks(seen: Observation, current: Observation) -> bool:
    """Whether the same value counts from now on as `seen` has it: a better source, a person's latest word, an end."""
    if seen.trust is current.trust is Trust.CORRECTED:
        return _by_learning(seen) > _by_learning(current)
    if seen.trust is current.trust:
        return seen.valid_until != current.valid_until
    return seen.trust.rank > current.trust.rank


def _ended(current: Observation, seen: Observation) -> bool:
    return current.valid_until is not None and current.valid_until <= seen.held


def _against(
    current: Observation, sightings: Sequence[Observation], heard: Sequence[Observation]
) -> tuple[Observation, ...]:
    """Return the last word of each other source that claims another value for the same time with equal trust."""
    if current.kind in ACTS or current.trust is Trust.CORRECTED:
        return ()
    last_words = {seen.source: seen for seen in heard if seen.trust is current.trust}
    against = [
        seen
        for seen in last_words.values()
        if not seen.says_as(current) and any(seen.overlaps(sighting) for sighting in sightings)
    ]
    return tuple(sorted(against, key=_by_truth, reverse=True)[:CONFLICTS_MAX])


def _by_truth(seen: Observation) -> tuple[datetime, datetime, str, str]:
    return seen.held, *_by_learning(seen)


def _by_learning(seen: Observation) -> tuple[datetime, str, str]:
    return seen.learned_at, seen.provenance.event_id, seen.value or ""
