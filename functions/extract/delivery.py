"""Delivery: events above their tenant's quota wait in another queue (ADR 62), failed messages come back."""

import traceback
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from functions.extract.ports import ExtractPorts
from functions.extract.schemas import MessageFailure, QueueMessage
from membus.core.errors import ConflictError, MembusError, ModelError, UnavailableError
from membus.core.event import RecordedEvent
from membus.events.ports import PoisonMessageQueue, SourceQueue

Arrival = tuple[QueueMessage, RecordedEvent]
T = TypeVar("T")

NON_RETRYABLE_REASONS = frozenset({"refused", "malformed", "max_tokens", "too_long"})
"""Reasons of a ModelError that the same text would meet again: such a message is parked, not tried again."""
OWN_FAILURES_MAX = 5
"""A message that fails by itself this often goes to the dead-letter queue, with its reason."""
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 10, 900
"""A part that is down gets 10, 40, 160, 640 and then 900 seconds to come back. The queue hands a message out
twelve times (`max_receive_count` in Terraform): it waits out two hours."""


def apply_quotas(arrivals: Sequence[Arrival], ports: ExtractPorts) -> list[Arrival]:
    """Return the events to read now; those beyond their tenant's quota go to the overflow queue.

    Events that come from the overflow queue are all read. Events that it does not take are read now.
    """
    if not arrivals or ports.overflow_queue.is_source_of(arrivals[0][0].queue_arn):
        return list(arrivals)
    _count_arrivals(arrivals, ports)
    over = [each for each in arrivals if not ports.quotas.consume_quota(each[1].event.tenant_id)]
    if not over:
        return list(arrivals)
    bodies = [(message.body, recorded.event.tenant_id) for message, recorded in over]
    taken = over[: ports.overflow_queue.send_messages(bodies)]
    tenants = Counter(recorded.event.tenant_id for _, recorded in taken)
    ports.monitor.count_metric("EventsBeyondShare", len(taken))
    ports.monitor.log_info("tenants send more than is read at once", tenants=dict(tenants))
    if refused := len(over) - len(taken):
        ports.monitor.log_warning("the surplus queue takes nothing: neighbours wait", events=refused)
    gone = {message.message_id for message, _ in taken}
    return [each for each in arrivals if each[0].message_id not in gone]


def _count_arrivals(arrivals: Sequence[Arrival], ports: ExtractPorts) -> None:
    """Book the events that are delivered for the first time; a ledger that is down stops no event."""
    first = (recorded for message, recorded in arrivals if message.receive_count == 1)
    for tenant, events in Counter(recorded.event.tenant_id for recorded in first).items():
        try:
            ports.usage.add_event_count(tenant, ports.clock().date(), events)
        except Exception as error:  # noqa: BLE001 - a wrong count is better than a batch that is not read
            kind = type(error).__name__
            ports.monitor.log_warning("events are not counted", tenant_id=tenant, events=events, error=kind)


def acknowledge(failures: Sequence[MessageFailure], ports: ExtractPorts) -> list[str]:
    """Return the ids of the messages that the queue shall hand out again; it deletes all others.

    A message that no model can read is parked as poison, one that failed too often goes to the dead letters.
    """
    return [message.message_id for message, error in failures if _comes_back(message, error, ports)]


def _comes_back(message: QueueMessage, error: Exception, ports: ExtractPorts) -> bool:
    """Of an error that is not membus's own only kind and place are logged: its text may quote a user."""
    code, detail = (error.code, error.detail) if isinstance(error, MembusError) else ("defect", _place(error))
    fields = {
        "message_id": message.message_id,
        "receives": message.receive_count,
        "code": code,
        "detail": detail,
    }
    if isinstance(error, ModelError) and error.reason in NON_RETRYABLE_REASONS:
        reason = f"{code}.{error.reason}: {detail}"
        return not _put_aside(ports.poison_messages, message, reason, fields, ports)
    if not _is_transient(error) and message.receive_count >= OWN_FAILURES_MAX:
        return not _put_aside(ports.dead_letters, message, f"{code}: {detail}", fields, ports)
    wait_seconds = _wait_seconds(message.receive_count, error)
    ports.monitor.log_warning("message comes back", **fields, again_in_seconds=wait_seconds)
    try:
        _source_queue(message, ports).delay_retry(message.receipt, seconds=wait_seconds)
    except UnavailableError as unavailable:
        ports.monitor.log_warning(
            "the queue keeps its own timeout", **fields | {"detail": unavailable.detail}
        )
    return True


def _put_aside(
    queue: PoisonMessageQueue,
    message: QueueMessage,
    reason: str,
    fields: dict[str, object],
    ports: ExtractPorts,
) -> bool:
    """Return whether the queue took the message."""
    try:
        queue.send_message(message.body, reason=reason)
    except UnavailableError as unavailable:
        why = unavailable.detail
        ports.monitor.log_warning("the message comes back: it could not be put aside", **fields, why=why)
        return False
    ports.monitor.log_warning("message put aside", **fields, reason=reason)
    return True


def _source_queue(message: QueueMessage, ports: ExtractPorts) -> SourceQueue:
    return (
        ports.overflow_queue if ports.overflow_queue.is_source_of(message.queue_arn) else ports.source_queue
    )


def _is_transient(error: Exception) -> bool:
    """Whether another part's fault passes by itself: it is down, or a race was lost."""
    return isinstance(error, ConflictError | UnavailableError) and not isinstance(error, ModelError)


def _wait_seconds(receives: int, error: Exception) -> int:
    is_down = isinstance(error, UnavailableError) and not isinstance(error, ModelError)
    grown: int = BACKOFF_SECONDS * 4 ** (receives - 1) if is_down else 2**receives
    return min(grown, BACKOFF_SECONDS_MAX)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno}"
