"""Facts: what the observations of a user add up to.

The current fact is a fold over all observations of its key, so the order in which events arrive, and how
often, cannot change it. A snapshot keeps the result of the older observations, so that they are not read
again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime, Field

from membus.core.clock import epoch_ms
from membus.core.event import RecordedEvent
from membus.core.identity import Record
from membus.facts.attributes import PAST_ATTRIBUTES
from membus.facts.observation import Observation, decay_confidence
from membus.facts.resolution import (
    NO_END,
    ResolvedClaim,
    counts_after,
    in_learning_order,
    resolve_claims,
    truth_order,
)

RECENT_OBSERVATIONS_MAX = 80
"""The observations of a key that are read for a change to it.

Beyond that the older ones become a snapshot.
"""
RECENT_OBSERVATIONS_KEPT = 40
"""The observations that stay out of a snapshot: one that comes late by less than that lands among them."""
ObservationPosition = tuple[int, str]
"""The place of an observation in its key: the millisecond in which it was learned, and its event."""


def position_of(seen: Observation) -> ObservationPosition:
    return epoch_ms(seen.learned_at), seen.provenance.event_id


class ObservationSnapshot(Record):
    """The result of the `count` observations of a key that were learned until `learned_at`.

    `settled` is the claim they resolve to; none of them was true after `truest`. `taken_back` is the last
    retraction and `before` the value that it retracted: after it, corrections and the user's later words
    count.
    """

    count: int
    learned_at: AwareDatetime
    truest: Observation
    settled: ResolvedClaim | None
    taken_back: Observation | None = None
    before: str | None = None

    @property
    def deciding_observations(self) -> tuple[Observation, ...]:
        """The observations that decide the current value, or contradict it."""
        if self.settled is None:
            return (self.taken_back,) if self.taken_back else ()
        claims = (claim.said for claim in (self.settled.claim, *self.settled.beneath))
        return tuple(
            in_learning_order(seen for seen in (self.taken_back, *claims, *self.settled.words) if seen)
        )

    def is_older_than(self, seen: Observation) -> bool:
        """Whether an observation was learned after the snapshot."""
        return epoch_ms(self.learned_at) < epoch_ms(seen.learned_at)

    def is_before(self, event: RecordedEvent) -> bool:
        """Whether all observations of the snapshot were known and true when an event happened."""
        return self.learned_at <= event.learned_at and self.truest.last_known_at <= event.true_from

    def is_followed_by(self, seen: Observation) -> bool:
        """Whether an observation was learned, and is true, after all of the snapshot."""
        return self.is_older_than(seen) and truth_order(self.truest) < truth_order(seen)


def build_snapshot(
    observations: Iterable[Observation],
    before: ObservationSnapshot | None = None,
    *,
    true_at: datetime | None = None,
) -> ObservationSnapshot | None:
    """Return the snapshot of one key's observations, added to the snapshot `before` of all earlier ones.

    A retraction ends every claim before it; after it, corrections and what the user says since count. With
    `true_at`, all of them were true at that moment.
    """
    learned = in_learning_order(observations)
    if not learned:
        return before
    claim, retraction, value = (
        (before.settled, before.taken_back, before.before) if before else (None, None, None)
    )
    for next_retraction, part in _split_at_retractions(learned):
        counted = [seen for seen in part if retraction is None or counts_after(seen, retraction)]
        claim = resolve_claims(counted, claim, true_at=true_at)
        if next_retraction:
            held = claim.claim.said if claim else None
            value = held.value if held and not held.denies else None
            claim, retraction = None, next_retraction
    return ObservationSnapshot(
        count=len(learned) + (before.count if before else 0),
        learned_at=learned[-1].learned_at,
        truest=max((*learned, *((before.truest,) if before else ())), key=truth_order),
        settled=claim,
        taken_back=retraction,
        before=value,
    )


@dataclass(frozen=True)
class ObservationHistory:
    """The recent observations of a key, and the snapshot of the older ones."""

    recent: tuple[Observation, ...]
    snapshot: ObservationSnapshot | None = None

    @property
    def relevant_observations(self) -> list[Observation]:
        """The observations that decide the current or a recent value; all, where there is no snapshot."""
        older = self.snapshot.deciding_observations if self.snapshot else ()
        return in_learning_order([*older, *self.recent])

    @property
    def full_snapshot(self) -> ObservationSnapshot | None:
        """The snapshot of all observations."""
        return build_snapshot(self.recent, self.snapshot)

    def can_append(self, new: Iterable[Observation]) -> bool:
        """Whether observations may be added; one that belongs into the snapshot asks for all of the key."""
        return self.snapshot is None or all(map(self.snapshot.is_followed_by, new))

    def with_observations(self, new: Iterable[Observation]) -> "ObservationHistory":
        """Return the history with observations added, the last of each event: it is what the store keeps."""
        by_event = {seen.provenance.event_id: seen for seen in (*self.recent, *new)}
        return replace(self, recent=tuple(in_learning_order(by_event.values())))

    def compact_older(
        self, *, recent_max: int = RECENT_OBSERVATIONS_MAX, kept: int = RECENT_OBSERVATIONS_KEPT
    ) -> "ObservationHistory":
        """Return the history with its older part in the snapshot, where it is too long and can be split.

        It is split where every observation that was learned before was also true before.
        """
        if len(self.recent) <= recent_max:
            return self
        place = _split_position(self.recent, self.snapshot, kept)
        if not place:
            return self
        return ObservationHistory(self.recent[place:], build_snapshot(self.recent[:place], self.snapshot))


def _split_at_retractions(
    learned: Sequence[Observation],
) -> Iterable[tuple[Observation | None, list[Observation]]]:
    """Yield the observations between retractions, each part with the retraction that ended it, or None."""
    part: list[Observation] = []
    for seen in sorted(learned, key=lambda each: each.heard_at if each.is_own_act else each.learned_at):
        if seen.is_retracted:
            yield seen, part
            part = []
        else:
            part.append(seen)
    yield None, part


def _split_position(recent: Sequence[Observation], snapshot: ObservationSnapshot | None, kept: int) -> int:
    """Return how many of the recent observations may go into the snapshot, perhaps none."""
    truths = [truth_order(seen) for seen in recent]
    until = [truth_order(snapshot.truest)] if snapshot else []
    for place in range(len(recent) - kept, 0, -1):
        apart = epoch_ms(recent[place - 1].learned_at) < epoch_ms(recent[place].learned_at)
        if apart and max([*until, *truths[:place]]) < min(truths[place:]):
            return place
    return 0


class FactConflict(Record):
    """Another value that a source of equal trust claims for the same time."""

    value: str
    origin: str
    agent_id: str
    event_id: str
    valid_from: AwareDatetime


class Fact(Observation):
    """The current value of a key.

    `version` counts its observations, `replaced` is the value before it. `seen` counts the events that said
    so since, `last_seen` is when the newest of them did; each raises the confidence. A retracted or denied
    fact has no value: it is kept, so that nothing brings it back by mistake, and is shown to no reader.
    `resumes` are the claims of which the best holds again once this one has ended, the latest last.
    """

    version: int
    replaced: str | None = None
    seen: int = 1
    last_seen: AwareDatetime | None = None
    conflicts: tuple[FactConflict, ...] = ()
    resumes: tuple[Observation, ...] = Field(default=(), exclude_if=lambda claims: not claims)

    @property
    def stays_when_over(self) -> bool:
        """Whether it happened once, and is told of whenever it ended."""
        return self.key.split(".", 1)[0] in PAST_ATTRIBUTES

    def as_of(self, now: datetime) -> "Fact | None":
        """Return what holds at `now`: the fact, or where it has ended the claim that holds again, or None.

        What happened once stays, whenever it ended.
        """
        is_over = self.valid_until is not None and self.valid_until <= now
        if not is_over or self.stays_when_over:
            return self
        later = [claim for claim in self.resumes if claim.valid_until is None or claim.valid_until > now]
        if not later:
            return None
        best = max(reversed(later), key=lambda claim: claim.trust.rank)
        return Fact(**dict(best), version=self.version, replaced=self.value)

    def with_confidence_at(self, now: datetime) -> "Fact":
        """Return the fact with the confidence that is left at `now`."""
        last_seen = self.last_seen or self.last_known_at
        left = decay_confidence(
            self.confidence,
            self.kind,
            self.trust,
            last_seen=last_seen,
            now=now,
            half_life_days=self.half_life_days,
        )
        return self.model_copy(update={"confidence": left})


class FactVersion(Observation):
    """One observation of a key, numbered in the order of learning; `current` marks the one that decides."""

    version: int
    current: bool


def fold(observations: Iterable[Observation]) -> Fact | None:
    """Return the fact of one key's observations, or None where there are none.

    The value last known to be true wins over values of equal or less trust. The same value said again
    confirms the fact, which keeps the date and the evidence of the first time.
    """
    return fact_from_snapshot(build_snapshot(observations))


def fact_from_snapshot(snapshot: ObservationSnapshot | None) -> Fact | None:
    """Return the fact of a snapshot, retracted where no claim stands after the last retraction."""
    if snapshot is None:
        return None
    if snapshot.settled:
        return _fact(snapshot.settled, snapshot.count)
    assert snapshot.taken_back  # noqa: S101 - a snapshot without a claim has a retraction
    return Fact(**dict(snapshot.taken_back), version=snapshot.count, replaced=snapshot.before)


def list_versions(
    observations: Iterable[Observation], *, first: int = 1, believed: str | None = None
) -> list[FactVersion]:
    """Return observations of one key in the order of learning, the current one marked.

    Of a part of them, `first` is the number of its first one, and `believed` the event of the current one.
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
        if (true_at is None or seen.valid_from <= true_at < (seen.valid_until or NO_END))
        and (known_at is None or seen.learned_at <= known_at)
    ]


def fact_as_of(
    observations: Sequence[Observation], *, true_at: datetime | None, known_at: datetime | None = None
) -> Fact | None:
    """Return the fact of one key at `true_at` as far as it was known by `known_at`; None means now."""
    relevant = observations_as_of(observations, true_at=true_at, known_at=known_at)
    return fact_from_snapshot(build_snapshot(relevant, true_at=true_at))


def group_by_key(observations: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Return the observations grouped by key, keys in first-seen order."""
    grouped: dict[str, list[Observation]] = {}
    for seen in observations:
        grouped.setdefault(seen.key, []).append(seen)
    return grouped


FACT_PERIODS_MAX = 20
"""The newest periods of a key that can be searched as of their time; its history has them all."""


class FactPeriod(NamedTuple):
    """A fact that was true from `start` until `end`, or until now where there is none."""

    fact: Fact
    start: datetime
    end: datetime | None


def fact_periods(observations: Sequence[Observation]) -> list[FactPeriod]:
    """Return the facts of one key, period after period; the last one is the current fact."""
    starts = sorted({seen.valid_from for seen in observations})[-FACT_PERIODS_MAX - 1 :]
    begun: list[tuple[Fact, datetime]] = []
    for start in starts:
        fact = fact_as_of(observations, true_at=start)
        if fact and begun and begun[-1][0].value == fact.value:
            begun[-1] = (fact, begun[-1][1])
        elif fact:
            begun.append((fact, start))
    ends = [*(start for _, start in begun[1:]), None]
    return [FactPeriod(fact, start, end) for (fact, start), end in zip(begun, ends, strict=True)]


def _fact(resolved: ResolvedClaim, version: int) -> Fact:
    support = resolved.claim.run
    said = resolved.claim.said
    value = None if said.denies else said.value
    return Fact(
        **dict(said) | {"value": value, "confidence": support.reinforced_confidence},
        version=version,
        replaced=resolved.replaced,
        seen=support.times,
        last_seen=support.last_held,
        conflicts=tuple(map(_conflict, resolved.conflicting_observations)),
        resumes=resolved.resuming_claims,
    )


def _conflict(seen: Observation) -> FactConflict:
    provenance = seen.provenance
    return FactConflict(
        value=seen.value or "",
        origin=provenance.origin,
        agent_id=provenance.agent_id,
        event_id=provenance.event_id,
        valid_from=seen.valid_from,
    )
