"""Whether hot + cold is all that was recorded: both tiers of a tenant read beside whoever goes on working."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Protocol, TypeVar

from membus.domain.cold import ColdObject
from membus.domain.reconciliation import Line, Reconciliation, Sight
from membus.errors import ArchiveError
from membus.ports.cold import ColdCatalog

Item = TypeVar("Item")
TRIES = 5


class Watch(Protocol):
    """Passes things on, and shows how many there were."""

    def __call__(self, things: Iterable[Item], named: str, /) -> Iterable[Item]: ...


class Recorded(Protocol):
    """What the table holds."""

    def collect(self, tenant: str, into: Reconciliation) -> Iterator[int]: ...

    def look(self, tenant: str, event_id: str) -> Sight | None: ...


def reconciled(
    tenant: str,
    *,
    recorded: Recorded,
    catalog: ColdCatalog,
    event_ids: Callable[[ColdObject], Mapping[date, set[str]]],
    watch: Watch,
) -> list[Line]:
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
    catalog: ColdCatalog,
    event_ids: Callable[[ColdObject], Mapping[date, set[str]]],
    watch: Watch,
) -> None:
    """Read every object; where some were merged meanwhile, what they have become, too."""
    read: set[str] = set()
    for _ in range(TRIES):
        objects = [each for each in catalog.of(tenant) if each.key not in read]
        for kept in watch(objects, "objects"):
            try:
                found = event_ids(kept)
            except ArchiveError:
                if catalog.names(kept.key):
                    raise
                continue
            read.add(kept.key)
            for day, ids in found.items():
                report.cold(kept.agent, day, ids)
        if not objects:
            return
