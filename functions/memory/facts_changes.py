"""A change to a fact by hand: as it is asked for, what it is judged by, and what is written."""

from dataclasses import dataclass

from membus.domain.carrying import Carried, Trail
from membus.domain.corrections import Correction
from membus.domain.event import Recorded
from membus.domain.facts import Fact, Observation, fact_of
from membus.ports.facts import Stored


@dataclass(frozen=True)
class Change:
    """What a caller wants of one fact; version 0 is expected of a fact that must not exist.

    A revision is of exactly what the caller has seen: a version counts observations, and a rebuild may count
    anew.
    """

    correction: Correction
    event_id: str
    expected_version: int | None = None
    expected_revision: int | None = None


@dataclass(frozen=True)
class Known:
    """A fact as it is known when a change to it is judged; `stored` where the change asks for a revision."""

    trail: Trail
    stored: Stored | None

    @property
    def held(self) -> Fact | None:
        fact = fact_of(self.trail.whole)
        return fact if fact and not fact.retracted else None


@dataclass(frozen=True)
class Made:
    """A change that may be written: its event, what it teaches, the key's trail before and with it."""

    event: Recorded
    seen: Observation
    before: Trail
    after: Trail

    @property
    def fact(self) -> Fact:
        fact = fact_of(self.after.whole)
        assert fact  # noqa: S101 - it has one observation at least
        return fact

    @property
    def carried(self) -> dict[str, Carried | None]:
        short = self.after.shortened()
        return {} if short.carried == self.before.carried else {self.seen.key: short.carried}
