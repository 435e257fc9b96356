"""Claims.

A value that somebody says holds, all that said the same, and which of two claims the other gives way to.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import AwareDatetime

from membus.domain.confidence import reinforce_confidence
from membus.domain.identity import Record
from membus.domain.observations import Observation, Trust

_NO_END = datetime.max.replace(tzinfo=UTC)


class ClaimSupport(Record):
    """What said the same as a value since it took over: how often, how surely, for which time."""

    times: int
    surest: float
    last_held: AwareDatetime
    begins: AwareDatetime
    ends: AwareDatetime

    @classmethod
    def of(cls, seen: Observation) -> "ClaimSupport":
        return cls(
            times=1,
            surest=seen.confidence,
            last_held=seen.held,
            begins=seen.valid_from,
            ends=seen.claimed_until,
        )

    def and_then(self, seen: Observation) -> "ClaimSupport":
        return ClaimSupport(
            times=self.times + 1,
            surest=max(self.surest, seen.confidence),
            last_held=max(self.last_held, seen.held),
            begins=min(self.begins, seen.valid_from),
            ends=max(self.ends, seen.claimed_until),
        )

    @property
    def confidence(self) -> float:
        return reinforce_confidence(self.surest, self.times)

    def meets(self, claim: Observation) -> bool:
        return claim.valid_from < self.ends and self.begins < claim.claimed_until


class Claim(Record):
    """A value: `said` is the word for it that counts, `run` all that said so."""

    said: Observation
    run: ClaimSupport

    @classmethod
    def of(cls, seen: Observation) -> "Claim":
        return cls(said=seen, run=ClaimSupport.of(seen))

    def and_then(self, seen: Observation) -> "Claim":
        return Claim(
            said=seen if takes_precedence(seen, self.said) else self.said, run=self.run.and_then(seen)
        )

    @property
    def rank(self) -> int:
        return self.said.trust.rank

    @property
    def end(self) -> datetime:
        return self.said.valid_until or _NO_END

    def covers(self, earlier: "Claim") -> bool:
        """Whether an earlier claim can never stand again.

        As long and as trusted, or the same value, is said since.
        """
        return self.rank >= earlier.rank and (self.end >= earlier.end or self.said.says_as(earlier.said))


def in_learning_order(observations: Iterable[Observation]) -> list[Observation]:
    """Return the observations in the order they were learned, each once."""
    return sorted(dict.fromkeys(observations), key=learning_order)


def truth_order(seen: Observation) -> tuple[datetime, datetime, str, str]:
    return seen.held, *learning_order(seen)


def learning_order(seen: Observation) -> tuple[datetime, str, str]:
    return seen.learned_at, seen.provenance.event_id, seen.value or ""


def takes_precedence(seen: Observation, current: Observation) -> bool:
    """Whether another observation, true later, counts from now on instead of the current one, which has not ended.

    The same value counts as a better source has it, or a person's latest word, or whoever tells another end.
    """
    if not seen.says_as(current):
        return seen.trust.rank >= current.trust.rank
    if seen.trust is current.trust is Trust.CORRECTED:
        return learning_order(seen) > learning_order(current)
    if seen.trust is current.trust:
        return seen.valid_until != current.valid_until
    return seen.trust.rank > current.trust.rank
