"""Which of several observations of one key holds: pure, the same in whatever order they come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from membus.domain.claims import Claim, takes_precedence, truth_order
from membus.domain.identity import Record
from membus.domain.observations import FactKind, Observation, Trust

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
    def against(self) -> tuple[Observation, ...]:
        """The last word of each other source that claims another value for the same time with equal trust."""
        current, run = self.claim.said, self.claim.run
        if current.kind in SELF_EVIDENT_KINDS or current.trust is Trust.CORRECTED:
            return ()
        others = (
            seen for seen in self.words if seen.trust is current.trust and seen.source != current.source
        )
        against = [seen for seen in others if not seen.says_as(current) and run.meets(seen)]
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
            standing.hear(seen, min(seen.held, true_at or seen.held))
        else:
            standing = _ClaimResolver(Claim.of(seen))
    if standing is None:
        return None
    words = {(seen.trust, seen.source): seen for seen in (*(before.words if before else ()), *heard)}
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

    def hear(self, seen: Observation, now: datetime) -> None:
        before = self.claim.said
        self.beneath = [claim for claim in self.beneath if claim.end > now]
        if self.claim.end <= now and seen.trust.rank < self.claim.rank:
            self._step_back()
        heard = self._place(seen, now)
        if heard.said.trust is seen.trust:
            self.beneath = [claim for claim in self.beneath if claim is heard or not heard.covers(claim)]
        if len(self.beneath) > SUSPENDED_CLAIMS_MAX:
            self.beneath.remove(min(self.beneath, key=lambda claim: claim.end))
        if not self.claim.said.says_as(before):
            self.replaced = before.value

    def _step_back(self) -> None:
        """Let the best of what the current claim stood over stand again, now that it has ended."""
        if self.beneath:
            self.claim = max(reversed(self.beneath), key=lambda claim: claim.rank)
            self.beneath.remove(self.claim)

    def _place(self, seen: Observation, now: datetime) -> Claim:
        """Return the claim that an observation makes, confirms or changes."""
        if seen.says_as(self.claim.said):
            self.claim = self.claim.and_then(seen)
        elif takes_precedence(seen, self.claim.said) or self.claim.end <= now:
            if self.claim.end > now:
                self.beneath.append(self.claim)
            self.claim = Claim.of(seen)
        else:
            return self._wait(seen)
        return self.claim

    def _wait(self, seen: Observation) -> Claim:
        """Keep what is trusted less until its time comes; a rumour does not make a better word any later."""
        known = next((place for place, claim in enumerate(self.beneath) if seen.says_as(claim.said)), None)
        waiting = Claim.of(seen) if known is None else self.beneath.pop(known).and_then(seen)
        in_vain = known is not None and waiting.rank > seen.trust.rank
        self.beneath.insert(known if in_vain and known is not None else len(self.beneath), waiting)
        return waiting
