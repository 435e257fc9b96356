"""Claims.

A value that somebody says holds, all that said the same, and which of two claims the other gives way to.

Which of several observations of one key holds: pure, the same in whatever order they come.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import AwareDatetime

from membus.core.identity import Record
from membus.facts.observation import FactKind, Observation, Trust, reinforce_confidence

_NO_END = datetime.max.replace(tzinfo=UTC)


class ClaimSupport(Record):
    """What said the same as a value since it took over: how often, how surely, for which time."""

    times: int
    surest: float
    last_held: AwareDatetime
    begins: AwareDatetime
    ends: AwareDatetime

    @classmethod
    def from_observation(cls, seen: Observation) -> "ClaimSupport":
        return cls(
            times=1,
            surest=seen.confidence,
            last_held=seen.last_known_at,
            begins=seen.valid_from,
            ends=seen.claimed_until,
        )

    def with_observation(self, seen: Observation) -> "ClaimSupport":
        return ClaimSupport(
            times=self.times + 1,
            surest=max(self.surest, seen.confidence),
            last_held=max(self.last_held, seen.last_known_at),
            begins=min(self.begins, seen.valid_from),
            ends=max(self.ends, seen.claimed_until),
        )

    @property
    def reinforced_confidence(self) -> float:
        return reinforce_confidence(self.surest, self.times)

    def overlaps_claim(self, claim: Observation) -> bool:
        return claim.valid_from < self.ends and self.begins < claim.claimed_until


class Claim(Record):
    """A value: `said` is the word for it that counts, `run` all that said so."""

    said: Observation
    run: ClaimSupport

    @classmethod
    def from_observation(cls, seen: Observation) -> "Claim":
        return cls(said=seen, run=ClaimSupport.from_observation(seen))

    def with_observation(self, seen: Observation) -> "Claim":
        return Claim(
            said=seen if takes_precedence(seen, self.said) else self.said, run=self.run.with_observation(seen)
        )

    @property
    def trust_rank(self) -> int:
        return self.said.trust.rank

    @property
    def ends_at(self) -> datetime:
        return self.said.valid_until or _NO_END

    def supersedes_claim(self, earlier: "Claim") -> bool:
        """Whether an earlier claim can never stand again.

        As long and as trusted, or the same value, is said since.
        """
        return self.trust_rank >= earlier.trust_rank and (
            self.ends_at >= earlier.ends_at or self.said.has_same_value_as(earlier.said)
        )


def in_learning_order(observations: Iterable[Observation]) -> list[Observation]:
    """Return the observations in the order they were learned, each once."""
    return sorted(dict.fromkeys(observations), key=learning_order)


def truth_order(seen: Observation) -> tuple[datetime, datetime, str, str]:
    return seen.last_known_at, *learning_order(seen)


def learning_order(seen: Observation) -> tuple[datetime, str, str]:
    return seen.learned_at, seen.provenance.event_id, seen.value or ""


def takes_precedence(seen: Observation, current: Observation) -> bool:
    """Whether another observation, true later, counts from now on instead of the current one, which has not ended.

    The same value counts as a better source has it, or a person's latest word, or whoever tells another end.
    """
    if not seen.has_same_value_as(current):
        return seen.trust.rank >= current.trust.rank
    if seen.trust is current.trust is Trust.CORRECTED:
        return learning_order(seen) > learning_order(current)
    if seen.trust is current.trust:
        return seen.valid_until != current.valid_until
    return seen.trust.rank > current.trust.rank


SELF_EVIDENT_KINDS: frozenset[FactKind] = frozenset({"setting", "behaviour"})
"""What somebody does is so because they did it: doing otherwise changes it and contradicts nothing."""
CONFLICTS_MAX = 3
"""Conflicts travel with the fact in the profile; the history holds them all."""
SUSPENDED_CLAIMS_MAX = 20
"""Nobody's stays lie so deep in one another; it bounds what is carried of a key."""


class ResolvedClaim(Record):
    """What observations with a value come to: enough to go on with later ones.

    `beneath` are the claims of other values that may stand again, or at last, once `claim` has ended. `words`
    are the last of each source at each trust, in the order of truth.
    """

    claim: Claim
    replaced: str | None
    beneath: tuple[Claim, ...]
    words: tuple[Observation, ...]

    @property
    def conflicting_observations(self) -> tuple[Observation, ...]:
        """The last word of each other source that claims another value for the same time with equal trust."""
        current, run = self.claim.said, self.claim.run
        if current.kind in SELF_EVIDENT_KINDS or current.trust is Trust.CORRECTED:
            return ()
        others = (
            seen for seen in self.words if seen.trust is current.trust and seen.source_id != current.source_id
        )
        against = [
            seen for seen in others if not seen.has_same_value_as(current) and run.overlaps_claim(seen)
        ]
        return tuple(sorted(against, key=truth_order, reverse=True)[:CONFLICTS_MAX])


def resolve_claims(
    observations: Iterable[Observation],
    before: ResolvedClaim | None = None,
    *,
    true_at: datetime | None = None,
) -> ResolvedClaim | None:
    """Return what holds among observations with a value, and what `before` came to, all of which was true earlier.

    Later knowledge wins over what is trusted as much or less. What is trusted less wins only over what has
    ended, and only where nothing better that this stood over holds still. Observations that were all true at
    `true_at` have not ended then.
    """
    heard = sorted(observations, key=truth_order)
    standing = _ClaimResolver(before.claim, before.replaced, list(before.beneath)) if before else None
    for seen in heard:
        if standing:
            standing.apply(seen, min(seen.last_known_at, true_at or seen.last_known_at))
        else:
            standing = _ClaimResolver(Claim.from_observation(seen))
    if standing is None:
        return None
    words = {(seen.trust, seen.source_id): seen for seen in (*(before.words if before else ()), *heard)}
    return ResolvedClaim(
        claim=standing.claim,
        replaced=standing.replaced,
        beneath=tuple(standing.beneath),
        words=tuple(sorted(words.values(), key=truth_order)),
    )


@dataclass
class _ClaimResolver:
    """The claims that stand while observations are heard in the order of truth.

    Of equal trust the later lies last.
    """

    claim: Claim
    replaced: str | None = None
    beneath: list[Claim] = field(default_factory=list)

    def apply(self, seen: Observation, now: datetime) -> None:
        before = self.claim.said
        self.beneath = [claim for claim in self.beneath if claim.ends_at > now]
        if self.claim.ends_at <= now and seen.trust.rank < self.claim.trust_rank:
            self._step_back()
        heard = self._place(seen, now)
        if heard.said.trust is seen.trust:
            self.beneath = [
                claim for claim in self.beneath if claim is heard or not heard.supersedes_claim(claim)
            ]
        if len(self.beneath) > SUSPENDED_CLAIMS_MAX:
            self.beneath.remove(min(self.beneath, key=lambda claim: claim.ends_at))
        if not self.claim.said.has_same_value_as(before):
            self.replaced = before.value

    def _step_back(self) -> None:
        """Let the best of what the current claim stood over stand again, now that it has ended."""
        if self.beneath:
            self.claim = max(reversed(self.beneath), key=lambda claim: claim.trust_rank)
            self.beneath.remove(self.claim)

    def _place(self, seen: Observation, now: datetime) -> Claim:
        """Return the claim that an observation makes, confirms or changes."""
        if seen.has_same_value_as(self.claim.said):
            self.claim = self.claim.with_observation(seen)
        elif takes_precedence(seen, self.claim.said) or self.claim.ends_at <= now:
            if self.claim.ends_at > now:
                self.beneath.append(self.claim)
            self.claim = Claim.from_observation(seen)
        else:
            return self._wait(seen)
        return self.claim

    def _wait(self, seen: Observation) -> Claim:
        """Keep what is trusted less until its time comes; a rumour does not make a better word any later."""
        known = next(
            (place for place, claim in enumerate(self.beneath) if seen.has_same_value_as(claim.said)), None
        )
        waiting = (
            Claim.from_observation(seen) if known is None else self.beneath.pop(known).with_observation(seen)
        )
        in_vain = known is not None and waiting.trust_rank > seen.trust.rank
        self.beneath.insert(known if in_vain and known is not None else len(self.beneath), waiting)
        return waiting
