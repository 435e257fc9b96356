"""Resolution: which of several observations of one key is current, whatever order they arrive in.

A claim is a value with every observation that supports it. Claims replace, suspend and restore each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import AwareDatetime

from membus.core.identity import Record
from membus.facts.observation import FactKind, Observation, Trust, reinforce_confidence

NO_END = datetime.max.replace(tzinfo=UTC)


class ClaimSupport(Record):
    """The observations that support a value since it became current: how many, how sure, for which time."""

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
    """A value: `said` is the observation that counts for it, `run` the support of all that said so."""

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
        return self.said.valid_until or NO_END

    def supersedes_claim(self, earlier: "Claim") -> bool:
        """Whether an earlier claim can never be current again: this one lasts as long, or has its value."""
        return outranks(self.said, earlier.said) and (
            self.ends_at >= earlier.ends_at or self.said.has_same_value_as(earlier.said)
        )


def in_learning_order(observations: Iterable[Observation]) -> list[Observation]:
    """Return the observations in the order of learning, each once."""
    return sorted(dict.fromkeys(observations), key=learning_order)


def truth_order(seen: Observation) -> tuple[datetime, datetime, int, str, str]:
    """Return when it was last known to be true, then when it was learned, and where in its request it stood."""
    learned_at, event_id, value = learning_order(seen)
    return seen.last_known_at, learned_at, seen.provenance.position or 0, event_id, value


def learning_order(seen: Observation) -> tuple[datetime, str, str]:
    return seen.learned_at, seen.provenance.event_id, seen.value or ""


def counts_after(seen: Observation, retraction: Observation) -> bool:
    """Whether an observation counts although its key was retracted: a later correction or statement does."""
    is_later = learning_order(seen) > learning_order(retraction)
    return (is_later and seen.trust is Trust.CORRECTED) or seen.is_said_since(retraction)


def outranks(seen: Observation, current: Observation) -> bool:
    """Whether an observation has the trust to replace one that was true before it.

    The user's own later words replace a correction that is not pinned.
    """
    yields = current.trust is Trust.CORRECTED and not current.pinned
    return seen.trust.rank >= current.trust.rank or (yields and seen.is_said_since(current))


def takes_precedence(seen: Observation, current: Observation) -> bool:
    """Whether an observation that is true later replaces the current one, which has not ended.

    With the same value it does where its source is better, it is the latest correction, or it names another
    end. A denial does where it names the current value.
    """
    if seen.denies:
        return not current.denies and seen.names_value_of(current) and outranks(seen, current)
    if not seen.has_same_value_as(current):
        return outranks(seen, current)
    if seen.trust is current.trust is Trust.CORRECTED:
        return learning_order(seen) > learning_order(current)
    if seen.trust is current.trust:
        return seen.valid_until != current.valid_until
    return seen.trust.rank > current.trust.rank


SELF_EVIDENT_KINDS: frozenset[FactKind] = frozenset({"setting", "behaviour"})
"""Kinds that an action itself makes true: another action changes them and contradicts nothing."""
CONFLICTS_MAX = 3
"""Conflicts are part of the fact in the profile; the history has them all."""
SUSPENDED_CLAIMS_MAX = 20
"""A bound on a snapshot: nobody's stays are nested so deep."""


class ResolvedClaim(Record):
    """The result of observations with a value: enough to resolve later ones.

    `beneath` are suspended claims, which may be current once `claim` has ended. `words` are the last
    observations of each source at each trust that were not denied, in the order of truth. A `claim` that
    denies says that there is no current one.
    """

    claim: Claim
    replaced: str | None
    beneath: tuple[Claim, ...]
    words: tuple[Observation, ...]

    @property
    def resuming_claims(self) -> tuple[Observation, ...]:
        """The suspended claims that outlast the current one, where that has an end."""
        return tuple(claim.said for claim in self.beneath if claim.ends_at > self.claim.ends_at)

    @property
    def conflicting_observations(self) -> tuple[Observation, ...]:
        """The last observation of each other source with equal trust and another value for the same time."""
        current = self.claim.said
        if current.kind in SELF_EVIDENT_KINDS or current.trust is Trust.CORRECTED:
            return ()
        others = (
            seen for seen in self.words if seen.trust is current.trust and seen.source_id != current.source_id
        )
        conflicts = [
            seen
            for seen in others
            if not seen.has_same_value_as(current) and self.claim.run.overlaps_claim(seen)
        ]
        return tuple(sorted(conflicts, key=truth_order, reverse=True)[:CONFLICTS_MAX])


def resolve_claims(
    observations: Iterable[Observation],
    before: ResolvedClaim | None = None,
    *,
    true_at: datetime | None = None,
) -> ResolvedClaim | None:
    """Return the claim that is current after observations with a value, all of them true later than `before`.

    A later observation wins over claims of equal or less trust. One of less trust wins only over a claim that
    has ended, and only where no suspended claim of more trust is still true. Observations that were all true
    at `true_at` have not ended then.
    """
    ordered = sorted(observations, key=truth_order)
    resolver = _ClaimResolver(before.claim, before.replaced, list(before.beneath)) if before else None
    for seen in ordered:
        if resolver:
            resolver.apply(seen, min(seen.last_known_at, true_at or seen.last_known_at))
        else:
            resolver = _ClaimResolver(Claim.from_observation(seen))
    if resolver is None:
        return None
    last: dict[object, Observation] = {}
    for seen in (*(before.words if before else ()), *ordered):
        if seen.denies:
            last = {source: word for source, word in last.items() if not takes_precedence(seen, word)}
        else:
            last[seen.trust, seen.source_id] = seen
    return ResolvedClaim(
        claim=resolver.current,
        replaced=resolver.replaced,
        beneath=tuple(resolver.suspended),
        words=tuple(sorted(last.values(), key=truth_order)),
    )


@dataclass
class _ClaimResolver:
    """The current claim and the suspended ones, while observations are applied in the order of truth.

    Of suspended claims with equal trust the later one is last.
    """

    current: Claim
    replaced: str | None = None
    suspended: list[Claim] = field(default_factory=list)

    def apply(self, seen: Observation, now: datetime) -> None:
        before = self.current.said
        self.suspended = [claim for claim in self.suspended if claim.ends_at > now]
        if seen.denies:
            self._deny(seen)
            return
        if self.current.ends_at <= now and seen.trust.rank < self.current.trust_rank:
            self._restore_suspended()
        changed = self._change_claim(seen, now)
        if changed.said.trust is seen.trust:
            self.suspended = [
                claim for claim in self.suspended if claim is changed or not changed.supersedes_claim(claim)
            ]
        if len(self.suspended) > SUSPENDED_CLAIMS_MAX:
            self.suspended.remove(min(self.suspended, key=lambda claim: claim.ends_at))
        if not self.current.said.has_same_value_as(before):
            self.replaced = before.value

    def _deny(self, seen: Observation) -> None:
        """End the claims of the value that a denial names; a suspended one of its trust is current again."""
        self.suspended = [claim for claim in self.suspended if not takes_precedence(seen, claim.said)]
        if not takes_precedence(seen, self.current.said):
            return
        self.replaced, self.current = self.current.said.value, Claim.from_observation(seen)
        if any(claim.trust_rank >= seen.trust.rank for claim in self.suspended):
            self._restore_suspended()

    def _restore_suspended(self) -> None:
        """Make the best suspended claim current again, now that the current one has ended."""
        if self.suspended:
            self.current = max(reversed(self.suspended), key=lambda claim: claim.trust_rank)
            self.suspended.remove(self.current)

    def _change_claim(self, seen: Observation, now: datetime) -> Claim:
        """Return the claim that an observation makes, confirms or changes."""
        if seen.has_same_value_as(self.current.said):
            self.current = self.current.with_observation(seen)
        elif takes_precedence(seen, self.current.said) or self.current.ends_at <= now:
            if self.current.ends_at > now and not self.current.said.denies:
                self.suspended.append(self.current)
            self.current = Claim.from_observation(seen)
        else:
            return self._suspend(seen)
        return self.current

    def _suspend(self, seen: Observation) -> Claim:
        """Return the suspended claim of an observation of less trust.

        A rumour makes no better claim later.
        """
        for place, claim in enumerate(self.suspended):
            if seen.has_same_value_as(claim.said):
                self.suspended.pop(place)
                confirmed = claim.with_observation(seen)
                keeps_place = confirmed.trust_rank > seen.trust.rank
                self.suspended.insert(place if keeps_place else len(self.suspended), confirmed)
                return confirmed
        self.suspended.append(Claim.from_observation(seen))
        return self.suspended[-1]
