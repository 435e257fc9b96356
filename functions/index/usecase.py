"""Indexing: a batch of changes goes into the search index, and changes of facts are announced on the bus."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from functions.index.projection import Projection, ProjectionSources, find_owner, project_change
from functions.index.schemas import ItemChange
from membus.core.errors import (
    BudgetError,
    InvalidError,
    MembusError,
    UnavailableError,
    VectorsPendingError,
)
from membus.core.identity import Owner
from membus.erasure.guard import ErasureGuard
from membus.events.ports import EventBus, PoisonMessageQueue
from membus.search.indexer import Indexer
from membus.search.model import Memory, Removal
from membus.search.ports import MemoryIndex


@dataclass(frozen=True)
class ProjectedChange:
    """A projection and the stream's record that it comes from."""

    sequence_number: str
    record: dict[str, Any]
    projection: Projection


class IndexMonitor(Protocol):
    """Receives log lines, with ids, never with content."""

    def log_warning(self, message: str, **fields: object) -> None: ...


@dataclass(frozen=True)
class IndexPorts:
    """What indexing needs of the world; without a `bus` no change of a fact is announced, as in a rebuild."""

    indexer: Indexer
    index: MemoryIndex
    bus: EventBus | None
    poison_messages: PoisonMessageQueue
    sources: ProjectionSources
    erasures: ErasureGuard
    monitor: IndexMonitor


def index_changes(records: Sequence[dict[str, Any]], ports: IndexPorts) -> list[str]:
    """Return the sequence numbers of the records to deliver again.

    A failure costs only its own tenant's records. A record that no retry can help is parked: it would stop
    all records behind it until the stream drops them.
    """
    by_tenant: dict[str, list[ProjectedChange]] = {}
    failed: list[str] = []
    for record in records:
        try:
            change = _read_change(record, ports)
        except UnavailableError as error:
            _log_failure("", error, ports)
            failed.append(str(record["dynamodb"]["SequenceNumber"]))
            continue
        if change:
            by_tenant.setdefault(change.projection.tenant, []).append(change)
    for tenant, changes in by_tenant.items():
        failed += _index_tenant(tenant, changes, ports)
    return failed


def _read_change(record: dict[str, Any], ports: IndexPorts) -> ProjectedChange | None:
    """Return the projection of a change.

    Of an erased user, everything from before the erasure is only removed.
    """
    ledger = ports.erasures.erasures
    try:
        change = ItemChange.model_validate(record)
        projection = project_change(change, ports.sources)
    except (ValidationError, InvalidError) as error:
        owner = find_owner(record)
        if not owner or not ledger.find_erasure(owner):
            reason = f"unreadable_change: {type(error).__name__}"
            ports.poison_messages.send_message(json.dumps(record), reason=reason)
        return None
    if projection is None:
        return None
    owner = Owner(tenant=projection.tenant, user=projection.user) if projection.user else None
    if owner and (erasure := ledger.find_erasure(owner)):
        projection = projection.after_erasure(erasure)
    return ProjectedChange(change.images.sequence_number, record, projection)


def _index_tenant(tenant: str, changes: Sequence[ProjectedChange], ports: IndexPorts) -> list[str]:
    """Return the sequence numbers that failed.

    Changes are indexed, then announced, whatever became of the former. A change that comes again has the same
    announcement id, so listeners see one event.
    """
    failed: set[str] = set()
    try:
        _apply_and_backfill(tenant, changes, ports)
    except MembusError as error:
        _log_failure(tenant, error, ports)
        failed |= {each.sequence_number for each in changes}
    if ports.bus:
        announced = [(each, each.projection.announcement) for each in changes]
        events = [(each, event) for each, event in announced if event]
        refused = ports.bus.publish_events([event for _, event in events])
        if refused:
            refusal = UnavailableError(f"the bus refused {len(refused)} announcements")
            _log_failure(tenant, refusal, ports)
        failed |= {events[place][0].sequence_number for place in refused}
    return [each.sequence_number for each in changes if each.sequence_number in failed]


def _apply_and_backfill(tenant: str, changes: Sequence[ProjectedChange], ports: IndexPorts) -> None:
    """Apply changes, then give vectors to texts that have waited for theirs.

    The stream does not wait for the embedding model: the words of a change are in the index when its vectors
    fail, and the tenant's next change brings them. A rebuild, which has no bus, waits.
    """
    waiting: UnavailableError | None = None
    try:
        _apply_changes(tenant, changes, ports)
        if ports.bus:
            ports.indexer.backfill_vectors(tenant)
    except BudgetError as error:
        waiting = error
    except VectorsPendingError as error:
        if not ports.bus:
            raise
        waiting = error
    if waiting:
        ports.monitor.log_warning(
            "texts wait for their vectors", tenant_id=tenant, code=waiting.code, detail=waiting.detail
        )


def _log_failure(tenant: str, error: MembusError, ports: IndexPorts) -> None:
    ports.monitor.log_warning("changes come again", tenant_id=tenant, code=error.code, detail=error.detail)


def _apply_changes(tenant: str, changes: Sequence[ProjectedChange], ports: IndexPorts) -> None:
    try:
        _write_projections(tenant, [each.projection for each in changes], ports)
    except InvalidError as error:
        if len(changes) == 1:
            body = json.dumps(changes[0].record)
            ports.poison_messages.send_message(body, reason=f"unindexable: {error.detail}")
            return
        for each in changes:
            _apply_changes(tenant, [each], ports)


def _write_projections(tenant: str, projections: Sequence[Projection], ports: IndexPorts) -> None:
    """Write each memory's newest version in the batch."""
    newest: dict[str, Memory | Removal] = {}
    for projection in projections:
        changed: list[Memory | Removal] = [*projection.memories, *projection.removals]
        for each in changed:
            if _is_newer(each, newest.get(each.memory_id)):
                newest[each.memory_id] = each
    ports.index.remove_memories([each for each in newest.values() if isinstance(each, Removal)])
    for projection in projections:
        if projection.unused_text_key:
            ports.sources.blobs.delete_text(projection.unused_text_key)
    ports.indexer.index_memories(tenant, [each for each in newest.values() if isinstance(each, Memory)])


def _is_newer(change: Memory | Removal, known: Memory | Removal | None) -> bool:
    """Whether a change replaces the known one; of one version the removal does."""
    if known is None or change.version != known.version:
        return known is None or change.version > known.version
    return isinstance(change, Removal) or isinstance(known, Memory)
