"""Whether every event that was recorded still has its episode: hot, cold or both.

Whether hot + cold is all that was recorded: both tiers of a tenant read beside whoever goes on working.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeVar

from membus.core.errors import CorruptArchiveError
from membus.episodes.archive.model import ArchiveObject
from membus.episodes.archive.ports import ArchiveCatalog


@dataclass(frozen=True)
class EpisodeLocation:
    """What the table holds of an event that was recorded."""

    hot: bool
    waiting: bool


@dataclass
class AgentDay:
    """One agent's day: event ids by where they are found.

    `recorded` are the identities, which nothing ever moves.
    """

    recorded: set[str] = field(default_factory=set)
    hot: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    cold: set[str] = field(default_factory=set)

    @property
    def missing_ids(self) -> set[str]:
        """Events whose episode is nowhere."""
        return self.recorded - self.hot - self.cold

    @property
    def unprotected_ids(self) -> set[str]:
        """Hot episodes that will expire although no cold object holds them."""
        return self.hot - self.waiting - self.cold

    @property
    def unknown_ids(self) -> set[str]:
        """Episodes without an identity: erased ones that came back, or written by nobody we know."""
        return (self.hot | self.cold) - self.recorded

    @property
    def suspect_ids(self) -> set[str]:
        return self.missing_ids | self.unprotected_ids | self.unknown_ids

    @property
    def is_empty(self) -> bool:
        return not (self.recorded or self.hot or self.cold)

    @property
    def is_sound(self) -> bool:
        return not self.suspect_ids


@dataclass(frozen=True)
class ReconciliationLine:
    """One row of the report."""

    agent: str
    day: date
    found: AgentDay


class Reconciliation:
    """Collects what each store holds, in any order."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, date], AgentDay] = defaultdict(AgentDay)

    def add_recorded(self, agent: str, day: date, event_id: str) -> None:
        self._days[agent, day].recorded.add(event_id)

    def add_hot(self, agent: str, day: date, event_id: str, *, waiting: bool) -> None:
        found = self._days[agent, day]
        found.hot.add(event_id)
        if waiting:
            found.waiting.add(event_id)

    def add_cold(self, agent: str, day: date, event_ids: Iterable[str]) -> None:
        self._days[agent, day].cold.update(event_ids)

    def correct_event(self, agent: str, day: date, event_id: str, sight: EpisodeLocation | None) -> None:
        """Correct what is known of an event by a later look; None where it is not recorded, or no longer."""
        found = self._days[agent, day]
        seen = [(found.recorded, sight is not None)]
        if sight is not None:
            seen += [(found.hot, sight.hot), (found.waiting, sight.waiting)]
        for ids, there in seen:
            (ids.add if there else ids.discard)(event_id)

    def list_lines(self) -> list[ReconciliationLine]:
        """Return one line for each agent and day, in that order."""
        return [ReconciliationLine(agent, day, self._days[agent, day]) for agent, day in sorted(self._days)]


Item = TypeVar("Item")
TRIES = 5


class ProgressListener(Protocol):
    """Passes things on, and shows how many there were."""

    def __call__(self, things: Iterable[Item], named: str, /) -> Iterable[Item]: ...


class RecordedEpisodes(Protocol):
    """What the table holds."""

    def collect_into(self, tenant: str, into: Reconciliation) -> Iterator[int]: ...

    def find_location(self, tenant: str, event_id: str) -> EpisodeLocation | None: ...


def reconcile(
    tenant: str,
    *,
    recorded: RecordedEpisodes,
    catalog: ArchiveCatalog,
    event_ids: Callable[[ArchiveObject], Mapping[date, set[str]]],
    watch: ProgressListener,
) -> list[ReconciliationLine]:
    """Return the days of a tenant's agents with what was found where.

    The table is read before the catalog: whatever is archived and expires meanwhile is in the catalog by
    then. What does not add up is looked at once more, by itself: it may have been recorded, or erased, while
    the table was read.
    """
    report = Reconciliation()
    for _ in watch(recorded.collect_into(tenant, report), "table"):
        pass
    _read_cold(tenant, report, catalog, event_ids, watch)
    for line in [each for each in report.list_lines() if not each.found.is_sound]:
        for event_id in line.found.suspect_ids:
            report.correct_event(line.agent, line.day, event_id, recorded.find_location(tenant, event_id))
    return [line for line in report.list_lines() if not line.found.is_empty]


def _read_cold(
    tenant: str,
    report: Reconciliation,
    catalog: ArchiveCatalog,
    event_ids: Callable[[ArchiveObject], Mapping[date, set[str]]],
    watch: ProgressListener,
) -> None:
    """Read every object; where some were merged meanwhile, what they have become, too."""
    read: set[str] = set()
    for _ in range(TRIES):
        objects = [each for each in catalog.list_objects(tenant) if each.object_key not in read]
        for kept in watch(objects, "objects"):
            try:
                found = event_ids(kept)
            except CorruptArchiveError:
                if catalog.has_object(kept.object_key):
                    raise
                continue
            read.add(kept.object_key)
            for day, ids in found.items():
                report.add_cold(kept.agent, day, ids)
        if not objects:
            return
