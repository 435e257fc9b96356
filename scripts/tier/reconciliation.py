"""Compares recorded events with hot and archived episodes, while others go on writing."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeVar

from membus.core.errors import CorruptArchiveError
from membus.episodes.archive.model import ArchiveObject
from membus.episodes.archive.ports import ArchiveCatalog

TRIES = 5
T = TypeVar("T")
EventIds = Callable[[ArchiveObject], Mapping[date, set[str]]]
"""Reads the partition keys of the identities of the events in an object, by day."""


@dataclass(frozen=True)
class EpisodeLocation:
    """What the table has of a recorded event; `waiting` means not archived yet."""

    hot: bool
    waiting: bool


@dataclass
class AgentDayIds:
    """The events of an agent's day, by the partition keys of their identities, which never move."""

    recorded: set[str] = field(default_factory=set)
    hot: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    cold: set[str] = field(default_factory=set)

    @property
    def missing_ids(self) -> set[str]:
        """Events whose episode is in neither tier."""
        return self.recorded - self.hot - self.cold

    @property
    def unprotected_ids(self) -> set[str]:
        """Hot episodes that will expire although no object of the archive holds them."""
        return self.hot - self.waiting - self.cold

    @property
    def unknown_ids(self) -> set[str]:
        """Episodes without an identity: erased ones that came back, or written by others."""
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
    agent: str
    day: date
    found: AgentDayIds


class Reconciliation:
    """Collects what each store has, in any order."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, date], AgentDayIds] = defaultdict(AgentDayIds)

    def add_recorded(self, agent: str, day: date, event_id: str) -> None:
        self._days[agent, day].recorded.add(event_id)

    def add_hot(self, agent: str, day: date, event_id: str, *, waiting: bool) -> None:
        found = self._days[agent, day]
        found.hot.add(event_id)
        if waiting:
            found.waiting.add(event_id)

    def add_cold(self, agent: str, day: date, event_ids: Iterable[str]) -> None:
        self._days[agent, day].cold.update(event_ids)

    def correct_event(self, agent: str, day: date, event_id: str, now: EpisodeLocation | None) -> None:
        """Correct an event by a later read; None if it is not recorded any more."""
        found = self._days[agent, day]
        corrected = [(found.recorded, now is not None)]
        if now is not None:
            corrected += [(found.hot, now.hot), (found.waiting, now.waiting)]
        for ids, is_there in corrected:
            (ids.add if is_there else ids.discard)(event_id)

    def list_lines(self) -> list[ReconciliationLine]:
        """Return one line for each agent and day, in that order."""
        return [ReconciliationLine(agent, day, self._days[agent, day]) for agent, day in sorted(self._days)]


class ProgressListener(Protocol):
    """Passes things on, and shows how many there were."""

    def __call__(self, things: Iterable[T], named: str, /) -> Iterable[T]: ...


class RecordedEpisodes(Protocol):
    """What the table has of a tenant's events."""

    def collect_into(self, tenant: str, into: Reconciliation) -> Iterator[int]: ...

    def find_location(self, identity_pk: str) -> EpisodeLocation | None: ...


def reconcile(
    tenant: str,
    *,
    recorded: RecordedEpisodes,
    catalog: ArchiveCatalog,
    event_ids: EventIds,
    watch: ProgressListener,
) -> list[ReconciliationLine]:
    """Return the days of a tenant's agents with the events found in each store.

    The table is read before the catalog: what is archived and expires meanwhile is in the catalog by then.
    A difference is read once more by itself: the event may have been recorded, or erased, in between.
    """
    report = Reconciliation()
    for _ in watch(recorded.collect_into(tenant, report), "table"):
        pass
    _read_archive(tenant, report, catalog, event_ids, watch)
    for line in [each for each in report.list_lines() if not each.found.is_sound]:
        for event_id in line.found.suspect_ids:
            report.correct_event(line.agent, line.day, event_id, recorded.find_location(event_id))
    return [line for line in report.list_lines() if not line.found.is_empty]


def _read_archive(
    tenant: str, report: Reconciliation, catalog: ArchiveCatalog, event_ids: EventIds, watch: ProgressListener
) -> None:
    """Read every object, and those into which compaction has merged some meanwhile."""
    read: set[str] = set()
    for _ in range(TRIES):
        objects = [each for each in catalog.list_objects(tenant) if each.object_key not in read]
        for each in watch(objects, "objects"):
            try:
                found = event_ids(each)
            except CorruptArchiveError:
                if catalog.has_object(each.object_key):
                    raise
                continue
            read.add(each.object_key)
            for day, ids in found.items():
                report.add_cold(each.agent, day, ids)
        if not objects:
            return
