"""Which of several observations of one key holds: pure, the same in whatever order they come."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from membus.domain.confidence import reinforced
from membus.domain.identity import Record
from membus.domain.observations import Kind, Observation, Trust

ACTS: frozenset[Kind] = frozenset({"setting", "behaviour"})
"""What somebody does is so because they did it: doing otherwise changes it and contradicts nothing."""
CONFLICTS_MAX = 3
"""Conflicts travel with the fact in the profile; the history holds them all."""


class Run(Record):
    """What said the same as the current value since it took over: how often, how surely, for which time."""

    times: int
    surest: float
    last_held: AwareDatetime
    begins: AwareDatetime
    ends: AwareDatetime

    @classmethod
    def of(cls, seen: Observation) -> "Run":
        return cls(
            times=1, surest=seen.confidence, last_held=seen.held, begins=seen.valid_from, ends=seen.claimed_until
        )

    def and_then(self, seen: Observation) -> "Run":
        return Run(
            times=self.times + 1, surest=max(self.surest, seen.confidence), last_held=max(self.last_held, seen.held),
            begins=min(self.begins, seen.valid_from), ends=max(self.ends, seen.claimed_until),
        )  # fmt: skip

    @property
    def confidence(self) -> float:
        return reinforced(self.surest, self.times)

    def meets(self, claim: Observation) -> bool:
        return claim.valid_from < self.ends and self.begins < claim.claimed_until


class Settled(Record):
    """What observations with a value come to: enough to go on with later ones.

    `words` are the last of each source at each trust, in the order of truth.
    """

    current: Observation
    replaced: str | None
    run: Run
    words: tuple[Observation, ...]

    @property
    def against(self) -> tuple[Observation, ...]:
        """The last word of each other source that claims another value for the same time with equal trust."""
        if self.current.kind in ACTS or self.current.trust is Trust.CORRECTED:
            return ()
        equal = (seen for seen in self.words if seen.trust is self.current.trust)
        against = [seen for seen in equal if not seen.says_as(self.current) and self.run.meets(seen)]
        return tuple(sorted(against, key=by_truth, reverse=True)[:CONFLICTS_MAX])


def ordered(observations: Iterable[Observation]) -> list[Observation]:
    """Return the observations in the order they were learned, each once."""
    return sorted(dict.fromkeys(observations), key=by_learning)


def settled(observations: Iterable[Observation], before: Settled | None = None) -> Settled | None:
    """Return what holds among observations with a value, and what `before` came to, all of which was true earlier.

    Later knowledge wins over what is trusted as much or less; what is trusted less wins only over what has ended.
    """
    heard = sorted(observations, key=by_truth)
    current, replaced, run = (before.current, before.replaced, before.run) if before else (None, None, None)
    for seen in heard:
        if current is None or run is None:
            current, run = seen, Run.of(seen)
        elif seen.says_as(current):
            current, run = (seen if _outranks(seen, current) else current), run.and_then(seen)
        elif outlasts(seen, current):
            current, run, replaced = seen, Run.of(seen), current.value
    if current is None or run is None:
        return None
    words = {(seen.trust, seen.source): seen for seen in (*(before.words if before else ()), *heard)}
    return Settled(current=current, replaced=replaced, run=run, words=tuple(sorted(words.values(), key=by_truth)))


def outlasts(seen: Observation, current: Observation) -> bool:
    """Whether another observation, true later, takes over from the current one, or confirms it from a better source."""
    if seen.says_as(current):
        return _outranks(seen, current)
    return seen.trust.rank >= current.trust.rank or _ended(current, seen)


def by_truth(seen: Observation) -> tuple[datetime, datetime, str, str]:
    return seen.held, *by_learning(seen)


def by_learning(seen: Observation) -> tuple[datetime, str, str]:
    return seen.learned_at, seen.provenance.event_id, seen.value or ""


def _outranks(seen: Observation, current: Observation) -> bool:
    """Whether the same value counts from now on as `seen` has it: a better source, a person's latest word, an end."""
    if seen.trust is current.trust is Trust.CORRECTED:
        return by_learning(seen) > by_learning(current)
    if seen.trust is current.trust:
        return seen.valid_until != current.valid_until
    return seen.trust.rank > current.trust.rank


def _ended(current: Observation, seen: Observation) -> bool:
    return current.valid_until is not None and current.valid_until <= seen.held
