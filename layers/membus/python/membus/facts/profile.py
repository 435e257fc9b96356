"""The profile: the current facts of a user in one item, as far as they fit, and as text for a prompt."""

from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate

from membus.core.identity import Owner, Record
from membus.core.tokens import estimate_tokens
from membus.facts.fact import Fact
from membus.facts.observation import FactKind

PROFILE_FACTS_MAX = 250
"""At about 500 bytes a fact the item stays below 128 KB: a third of what DynamoDB allows."""
PROFILE_BYTES_MAX = 256_000
"""The longest facts, in a script of four bytes a letter, come to a megabyte.

An item that cannot be written would stop extraction for its user for good.
"""
TRANSIENT_KINDS: frozenset[FactKind] = frozenset({"experience", "goal", "plan"})
"""Kinds that leave a full profile first: what a user did or plans."""


class Profile(Record):
    """The facts of a user.

    `version` counts the writes to them: a writer that read version 7 may write version 8. A profile that
    leaves facts out is not `complete`: the next one cannot be made from it alone.
    """

    owner: Owner
    version: int = 0
    facts: tuple[Fact, ...] = ()
    complete: bool = True

    def with_facts(self, facts: Iterable[Fact]) -> "Profile":
        """Return the next version with `facts` in place of those with the same keys, without retracted ones.

        Beyond 250 facts, or 256 KB of them, the lowest in rank stay out of the profile, never out of the
        store: transient kinds first, then the least trusted, then the oldest.
        """
        merged = {fact.key: fact for fact in (*self.facts, *facts)}
        current = [fact for fact in merged.values() if not fact.is_retracted]
        ranked = sorted(current, key=_rank, reverse=True)[:PROFILE_FACTS_MAX]
        sizes = accumulate(len(fact.model_dump_json().encode()) for fact in ranked)
        kept = [fact for fact, size in zip(ranked, sizes, strict=True) if size <= PROFILE_BYTES_MAX]
        return Profile(
            owner=self.owner,
            version=self.version + 1,
            facts=tuple(sorted(kept, key=_by_key)),
            complete=len(kept) == len(current),
        )

    def as_of(self, now: datetime) -> "Profile":
        """Return the profile with what holds at `now`: plans whose time is over, and stays that ended, are gone."""
        facts = (fact.as_of(now) for fact in self.facts)
        return self.model_copy(update={"facts": tuple(fact for fact in facts if fact)})

    def render_lines(self, *, budget: int | None = None) -> list[str]:
        """Return one line for each fact in a stable order.

        With a budget of tokens, the best facts that fit.
        """
        kept: list[Fact] = []
        for fact in sorted(self.facts, key=_rank, reverse=True):
            cost = estimate_tokens(render_fact(fact)) + 1
            if budget is not None and cost > budget:
                continue
            budget = None if budget is None else budget - cost
            kept.append(fact)
        return [render_fact(fact) for fact in sorted(kept, key=_by_key)]

    @property
    def rendered_text(self) -> str:
        return "\n".join(self.render_lines())


def render_fact(fact: Fact) -> str:
    """Return `- home.city: Lisbon (since 2026-03-01)`, with an end and conflicts where there are any.

    Angle brackets and line breaks are replaced: they could end the fenced block.
    """
    until = f" until {fact.valid_until:%Y-%m-%d}" if fact.valid_until else ""
    others = "".join(f"; elsewhere they said {_shown(other.value)}" for other in fact.conflicts)
    return f"- {fact.key}: {_shown(fact.value)} (since {fact.valid_from:%Y-%m-%d}{until}{others})"


def _shown(value: str | None) -> str:
    return " ".join((value or "").split()).replace("<", "‹").replace(">", "›")


def _rank(fact: Fact) -> tuple[bool, int, float, str]:
    return fact.kind not in TRANSIENT_KINDS, fact.trust.rank, fact.valid_from.timestamp(), fact.key


def _by_key(fact: Fact) -> str:
    return fact.key
