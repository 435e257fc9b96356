"""Whether hot + cold is all that was recorded: both tiers of a tenant read beside whoever goes on working."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Protocol, TypeVar

from membus.domain.cold import ArchiveObject
from membus.domain.reconciliation import EpisodeLocation, Reconciliation, ReconciliationLine
from membus.errors import CorruptArchiveError
from membus.ports.cold import ArchiveCatalog

Item = TypeVar("Item")
TRIES = 5


class ProgressListener(Protocol):
    """Passes things on, and shows how many there were."""

    def __call__(self, things: Iterable[Item], named: str, /) -> Iterable[Item]: ...


class RecordedEpisodes(Protocol):
    """What the table holds."""

    def collect(self, tenant: str, into: Reconciliation) -> Iterator[int]: ...

    def look(self, tenant: str, event_id: str) -> EpisodeLocation | None: ...


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
    for _ in watch(recorded.collect(tenant, report), "table"):
        pass
    _read_cold(tenant, report, catalog, event_ids, watch)
    for line in [each for each in report.lines() if not each.found.sound]:
        for event_id in line.found.suspects:
            report.settle(line.agent, line.day, event_id, recorded.look(tenant, event_id))
    return [line for line in report.lines() if not line.found.empty]


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
        objects = [each for each in catalog.of(tenant) if each.key not in read]
        for kept in watch(objects, "objects"):
            try:
                found = event_ids(kept)
            except CorruptArchiveError:
                if catalog.names(kept.key):
                    raise
                continue
            read.add(kept.key)
            for day, ids in found.items():
                report.cold(kept.agent, day, ids)
        if not objects:
            return
