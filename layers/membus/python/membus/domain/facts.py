"""Facts: what the observations of a user add up to.

The current fact is a fold over all observations of its key, so the order in which events arrive, and how
often, cannot change it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import AwareDatetime

from membus.domain.carrying import ObservationSnapshot, build_snapshot
from membus.domain.claims import in_learning_order
from membus.domain.confidence import decay_confidence
from membus.domain.identity import Record
from membus.domain.observations import Observation
from membus.domain.settling import ResolvedClaim


class FactConflict(Record):
    """What another source, believed as much, says of the same time."""

    value: str
    origin: str
    agent_id: str
    event_id: str
    valid_from: AwareDatetime


class Fact(Observation):
    """The current value of a key.

    `version` counts its observations, `replaced` is the value it took over from.

    `seen` counts the events that said so since it took over, `last_seen` is when the newest of them did; each
    raises the confidence. `conflicts` hold what other sources claim of the same time. A retracted fact has no
    value: it is kept, so that nothing brings it back by mistake, and no reader is shown it.
    """

    version: int
    replaced: str | None = None
    seen: int = 1
    last_seen: AwareDatetime | None = None
    conflicts: tuple[FactConflict, ...] = ()

    def at(self, now: datetime) -> "Fact":
        """Return the fact as sure as it still is at `now`."""
        last_seen = self.last_seen or self.held
        left = decay_confidence(self.confidence, self.kind, self.trust, last_seen=last_seen, now=now)
        return self.model_copy(update={"confidence": left})


class FactVersion(Observation):
    """One entry of a key's history, numbered in the order it was learned."""

    version: int
    current: bool


def fold(observations: Iterable[Observation]) -> Fact | None:
    """Return what the observations of one key add up to, or None where there are none.

    What was last known to hold wins over what is trusted as much or less. The same value said again confirms
    the fact: it keeps the date and the evidence of the first time.
    """
    return fact_from_snapshot(build_snapshot(observations))


def fact_from_snapshot(known: ObservationSnapshot | None) -> Fact | None:
    """Return the fact that observations come to; the last word on what was taken back is that it was."""
    if known is None:
        return None
    if known.settled:
        return _fact(known.settled, known.count)
    assert known.taken_back  # noqa: S101 - what holds nothing was taken back
    return Fact(**dict(known.taken_back), version=known.count, replaced=known.before)


def list_versions(
    observations: Iterable[Observation], *, first: int = 1, believed: str | None = None
) -> list[FactVersion]:
    """Return observations of one key in the order they were learned, the one that holds now marked.

    Of a part of them, `first` is the number of its first one, and `believed` the event of the one that holds.
    """
    learned = in_learning_order(observations)
    if believed is None and (now := fold(learned)):
        believed = now.provenance.event_id
    return [
        FactVersion(**dict(seen), version=number, current=seen.provenance.event_id == believed)
        for number, seen in enumerate(learned, start=first)
    ]


def observations_as_of(
    observations: Sequence[Observation], *, true_at: datetime | None, known_at: datetime | None
) -> list[Observation]:
    """Return the observations that were true at `true_at` and known by `known_at`; None means now."""
    return [
        seen
        for seen in observations
        if (
            true_at is None
            or (seen.valid_from <= true_at and (seen.valid_until is None or true_at < seen.valid_until))
        )
        and (known_at is None or seen.learned_at <= known_at)
    ]


def fact_as_of(
    observations: Sequence[Observation], *, true_at: datetime | None, known_at: datetime | None = None
) -> Fact | None:
    """Return what was true of one key at `true_at` as far as it was known by `known_at`; None means now."""
    return fact_from_snapshot(
        build_snapshot(observations_as_of(observations, true_at=true_at, known_at=known_at), true_at=true_at)
    )


def group_by_key(observations: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Return the observations grouped by key, keys in first-seen order."""
    grouped: dict[str, list[Observation]] = {}
    for seen in observations:
        grouped.setdefault(seen.key, []).append(seen)
    return grouped


def _fact(now: ResolvedClaim, version: int) -> Fact:
    run = now.claim.run
    said = dict(now.claim.said) | {"confidence": run.confidence}
    return Fact(
        **said,
        version=version,
        replaced=now.replaced,
        seen=run.times,
        last_seen=run.last_held,
        conflicts=tuple(map(_conflict, now.against)),
    )


def _conflict(seen: Observation) -> FactConflict:
    why = seen.provenance
    return FactConflict(
        value=seen.value or "",
        origin=why.origin,
        agent_id=why.agent_id,
        event_id=why.event_id,
        valid_from=seen.valid_from,
    )
