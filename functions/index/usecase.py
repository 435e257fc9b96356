"""Bring a batch of changes into the search index, and tell the bus what became of facts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from functions.index.projection import Projection, ProjectionSources, find_owner, project_change
from functions.index.schemas import ItemChange
from membus.core.errors import BudgetError, InvalidError, MembusError, UnavailableError
from membus.core.event import Event
from membus.core.identity import Owner
from membus.erasure.guard import ErasureGuard
from membus.events.ports import EventBus, PoisonMessageQueue
from membus.search.indexer import Indexer
from membus.search.model import Memory, Removal
from membus.search.ports import MemoryIndex


@dataclass(frozen=True)
class ProjectedChange:
    """A change that means something, and the record that told of it."""

    sequence_number: str
    record: dict[str, Any]
    projection: Projection


@dataclass(frozen=True)
class IndexPorts:
    """Where changes go; `on_failure` is told of a tenant whose changes have to come again.

    Without a `bus` nobody is told what became of facts: a rebuild is no news. `on_unpaid` is told of a tenant
    whose texts are found by their words alone, until somebody fills in their vectors.
    """

    indexer: Indexer
    index: MemoryIndex
    bus: EventBus | None
    quarantine: PoisonMessageQueue
    sources: ProjectionSources
    gate: ErasureGuard
    on_failure: Callable[[str, MembusError], None]
    on_unpaid: Callable[[str, MembusError], None]


def index_changes(records: Sequence[dict[str, Any]], *, sink: IndexPorts) -> list[str]:
    """Return the sequence numbers of the records to deliver again.

    A failure costs only its own tenant's records. What no retry can help goes to the quarantine, or it would
    stop everything behind it until the stream forgets.
    """
    by_tenant: dict[str, list[ProjectedChange]] = {}
    unread: list[str] = []
    for record in records:
        try:
            seen = _read_change(record, sink)
        except UnavailableError as error:
            sink.on_failure("", error)
            unread.append(str(record["dynamodb"]["SequenceNumber"]))
            continue
        if seen:
            by_tenant.setdefault(seen.projection.tenant, []).append(seen)
    return [
        *unread,
        *(number for tenant, mine in by_tenant.items() for number in _index_tenant(tenant, mine, sink)),
    ]


def _read_change(record: dict[str, Any], sink: IndexPorts) -> ProjectedChange | None:
    """Return what a change means; of a user who was erased, what happened before that is only removed."""
    try:
        change = ItemChange.model_validate(record)
        projection = project_change(change, sink.sources)
    except (ValidationError, InvalidError) as error:
        if not (whose := find_owner(record)) or sink.gate.erasures.find_erasure(whose) is None:
            sink.quarantine.send_message(
                json.dumps(record), reason=f"unreadable_change: {type(error).__name__}"
            )
        return None
    if projection is None:
        return None
    whose = Owner(tenant=projection.tenant, user=projection.user) if projection.user else None
    if whose and (erasure := sink.gate.erasures.find_erasure(whose)):
        projection = projection.after_erasure(erasure)
    return ProjectedChange(change.images.sequence_number, record, projection)


def _index_tenant(tenant: str, seen: Sequence[ProjectedChange], sink: IndexPorts) -> list[str]:
    """Index first and tell then, each whatever became of the other.

    The ids of announcements make copies one.
    """
    failed: set[str] = set()
    try:
        _apply_changes(tenant, seen, sink)
    except BudgetError as error:
        sink.on_unpaid(tenant, error)
    except MembusError as error:
        sink.on_failure(tenant, error)
        failed |= {each.sequence_number for each in seen}
    told = [each for each in seen if each.projection.announcement]
    refused = sink.bus.publish_events([_announcement_of(each) for each in told]) if sink.bus else []
    if refused:
        sink.on_failure(tenant, UnavailableError(f"the bus refused {len(refused)} announcements"))
    failed |= {told[place].sequence_number for place in refused}
    return [each.sequence_number for each in seen if each.sequence_number in failed]


def _apply_changes(tenant: str, seen: Sequence[ProjectedChange], sink: IndexPorts) -> None:
    try:
        _write_projections(tenant, [each.projection for each in seen], sink)
    except InvalidError as error:
        if len(seen) == 1:
            sink.quarantine.send_message(json.dumps(seen[0].record), reason=f"unindexable: {error.detail}")
            return
        for each in seen:
            _apply_changes(tenant, [each], sink)


def _write_projections(tenant: str, projections: Sequence[Projection], sink: IndexPorts) -> None:
    """Write what each memory has come to: within a batch its newest version is the one that counts."""
    newest: dict[str, Memory | Removal] = {}
    for projection in projections:
        changed: list[Memory | Removal] = [*projection.memories, *projection.removals]
        for each in changed:
            if _is_newer(each, newest.get(each.memory_id)):
                newest[each.memory_id] = each
    sink.index.remove_memories([each for each in newest.values() if isinstance(each, Removal)])
    for projection in projections:
        if projection.left:
            sink.sources.contents.delete_text(projection.left)
    sink.indexer.index_memories(tenant, [each for each in newest.values() if isinstance(each, Memory)])


def _is_newer(change: Memory | Removal, known: Memory | Removal | None) -> bool:
    """Of one version the removal is the last word."""
    if known is None or change.version != known.version:
        return known is None or change.version > known.version
    return isinstance(change, Removal) or isinstance(known, Memory)


def _announcement_of(seen: ProjectedChange) -> Event:
    assert seen.projection.announcement  # noqa: S101 - its caller has looked
    return seen.projection.announcement
