"""What the older observations of a key come to, carried forward so that nobody has to read them all again.

Facts: what the observations of a user add up to.

The current fact is a fold over all observations of its key, so the order in which events arrive, and how
often, cannot change it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import AwareDatetime

from membus.core.clock import epoch_ms
from membus.core.event import RecordedEvent
from membus.core.identity import Record
from membus.facts.observation import Observation, Trust, decay_confidence
from membus.facts.resolution import ResolvedClaim, in_learning_order, resolve_claims, truth_order

RECENT_OBSERVATIONS_MAX = 80
"""So many observations of a key are read for a change to it.

Beyond that the older ones are carried forward.
"""
RECENT_OBSERVATIONS_KEPT = 40
"""So many stay out of what is carried: what comes late by less than that lands among them."""
ObservationPosition = tuple[int, str]
"""Where an observation stands among those of its key.

The millisecond in which it was learned, and its event.
"""


def position_of(seen: Observation) -> ObservationPosition:
    return epoch_ms(seen.learned_at), seen.provenance.event_id


class ObservationSnapshot(Record):
    """What `count` observations come to, all that were learned until `learned_at`.

    None was true after `truest`.

    After the last retraction, which took `before` back, corrections alone count.
    """

    count: int
    learned_at: AwareDatetime
    truest: Observation
    settled: ResolvedClaim | None
    taken_back: Observation | None = None
    before: str | None = None

    @property
    def deciding_observations(self) -> tuple[Observation, ...]:
        """Those that decide what holds, or stands against it."""
        if self.settled is None:
            return (self.taken_back,) if self.taken_back else ()
        claims = (claim.said for claim in (self.settled.claim, *self.settled.beneath))
        return tuple(
            in_learning_order(seen for seen in (self.taken_back, *claims, *self.settled.words) if seen)
        )

    def is_older_than(self, seen: Observation) -> bool:
        """Whether an observation is not among those that are carried."""
        return epoch_ms(self.learned_at) < epoch_ms(seen.learned_at)

    def is_before(self, event: RecordedEvent) -> bool:
        """Whether all that is carried was known and true when an event happened."""
        return self.learned_at <= event.learned_at and self.truest.last_known_at <= event.true_from

    def is_followed_by(self, seen: Observation) -> bool:
        """Whether an observation was learned, and is true, after all that is carried."""
        return self.is_older_than(seen) and truth_order(self.truest) < truth_order(seen)


def build_snapshot(
    observations: Iterable[Observation],
    before: ObservationSnapshot | None = None,
    *,
    true_at: datetime | None = None,
) -> ObservationSnapshot | None:
    """Return what observations of one key come to, and what `before` came to, which precedes them all.

    A retraction ends what was heard before it, and after it only a correction speaks. With `true_at`, all of
    them were true then.
    """
    learned = in_learning_order(observations)
    if not learned:
        return before
    standing, taken_back, value = (
        (before.settled, before.taken_back, before.before) if before else (None, None, None)
    )
    for retraction, heard in _split_at_retractions(learned):
        counted = [seen for seen in heard if taken_back is None or seen.trust is Trust.CORRECTED]
        standing = resolve_claims(counted, standing, true_at=true_at)
        if retraction:
            standing, taken_back, value = None, retraction, standing.claim.said.value if standing else None
    return ObservationSnapshot(
        count=len(learned) + (before.count if before else 0),
        learned_at=learned[-1].learned_at,
        truest=max((*learned, *((before.truest,) if before else ())), key=truth_order),
        settled=standing,
        taken_back=taken_back,
        before=value,
    )


@dataclass(frozen=True)
class ObservationHistory:
    """The observations of a key as far as they have to be read.

    Recent ones, and what the older ones come to.
    """

    recent: tuple[Observation, ...]
    carried: ObservationSnapshot | None = None

    @property
    def relevant_observations(self) -> list[Observation]:
        """Those that decide what holds now, or held lately; all there are, where nothing is carried."""
        return in_learning_order(
            [*(self.carried.deciding_observations if self.carried else ()), *self.recent]
        )

    @property
    def full_snapshot(self) -> ObservationSnapshot | None:
        """What all observations come to."""
        return build_snapshot(self.recent, self.carried)

    @property
    def latest_moment(self) -> datetime | None:
        """The last moment anything was learned, or is true from."""
        moments = [max(seen.learned_at, seen.valid_from) for seen in self.recent]
        if self.carried:
            moments += [self.carried.learned_at, self.carried.truest.valid_from]
        return max(moments, default=None)

    def can_append(self, seen: Iterable[Observation]) -> bool:
        """Whether observations may be added; one that comes too late for that asks for all there are."""
        return self.carried is None or all(map(self.carried.is_followed_by, seen))

    def with_observations(self, seen: Iterable[Observation]) -> "ObservationHistory":
        """Return the trail with observations added, the last of each event: it is what the store keeps."""
        by_event = {each.provenance.event_id: each for each in (*self.recent, *seen)}
        return replace(self, recent=tuple(in_learning_order(by_event.values())))

    def compact_older(self) -> "ObservationHistory":
        """Return the trail with its older part carried forward, where it has grown too long and can be parted.

        It is parted where all that was learned before was also true before.
        """
        if len(self.recent) <= RECENT_OBSERVATIONS_MAX:
            return self
        place = _split_position(self.recent, self.carried)
        return (
            ObservationHistory(self.recent[place:], build_snapshot(self.recent[:place], self.carried))
            if place
            else self
        )


def _split_at_retractions(
    learned: Sequence[Observation],
) -> Iterable[tuple[Observation | None, list[Observation]]]:
    """Yield what was heard between retractions, each with the one that ended it, or None."""
    heard: list[Observation] = []
    for seen in learned:
        if seen.is_retracted:
            yield seen, heard
            heard = []
        else:
            heard.append(seen)
    yield None, heard


def _split_position(recent: Sequence[Observation], carried: ObservationSnapshot | None) -> int:
    """Return how many of the recent ones may be carried.

    As many as possible, 0 where they are all entangled.
    """
    truths = [truth_order(seen) for seen in recent]
    until = [truth_order(carried.truest)] if carried else []
    for place in range(len(recent) - RECENT_OBSERVATIONS_KEPT, 0, -1):
        apart = epoch_ms(recent[place - 1].learned_at) < epoch_ms(recent[place].learned_at)
        if apart and max([*until, *truths[:place]]) < min(truths[place:]):
            return place
    return 0


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

    def with_confidence_at(self, now: datetime) -> "Fact":
        """Return the fact as sure as it still is at `now`."""
        last_seen = self.last_seen or self.last_known_at
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
    said = dict(now.claim.said) | {"confidence": run.reinforced_confidence}
    return Fact(
        **said,
        version=version,
        replaced=now.replaced,
        seen=run.times,
        last_seen=run.last_held,
        conflicts=tuple(map(_conflict, now.conflicting_observations)),
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
