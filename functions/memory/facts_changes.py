"""A change to a fact by hand: as it is asked for, what it is judged by, and what is written."""

from dataclasses import dataclass

from membus.domain.carrying import ObservationHistory, ObservationSnapshot
from membus.domain.corrections import Correction
from membus.domain.event import RecordedEvent
from membus.domain.facts import Fact, fact_from_snapshot
from membus.domain.observations import Observation
from membus.ports.facts import VersionedFact


@dataclass(frozen=True)
class FactChange:
    """What a caller wants of one fact; version 0 is expected of a fact that must not exist.

    A revision is of exactly what the caller has seen: a version counts observations, and a rebuild may count
    anew.
    """

    correction: Correction
    event_id: str
    expected_version: int | None = None
    expected_revision: int | None = None


@dataclass(frozen=True)
class KnownFact:
    """A fact as it is known when a change to it is judged; `stored` where the change asks for a revision."""

    trail: ObservationHistory
    stored: VersionedFact | None

    @property
    def held(self) -> Fact | None:
        fact = fact_from_snapshot(self.trail.whole)
        return fact if fact and not fact.retracted else None


@dataclass(frozen=True)
class PreparedChange:
    """A change that may be written: its event, what it teaches, the key's trail before and with it."""

    event: RecordedEvent
    seen: Observation
    before: ObservationHistory
    after: ObservationHistory

    @property
    def fact(self) -> Fact:
        fact = fact_from_snapshot(self.after.whole)
        assert fact  # noqa: S101 - it has one observation at least
        return fact

    @property
    def carried(self) -> dict[str, ObservationSnapshot | None]:
        short = self.after.shortened()
        return {} if short.carried == self.before.carried else {self.seen.key: short.carried}
