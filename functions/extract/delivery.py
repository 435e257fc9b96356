"""How many events each tenant sent: what a bill is measured by.

What one tenant sends beyond its share is read from a queue of its own, so that nobody waits behind it (ADR
40).

What becomes of a message that failed.

Another try after a wait that fits the fault, or a place where people look.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from functions.extract.schemas import QueueMessage
from membus.core.clock import Clock
from membus.core.errors import ConflictError, MembusError, ModelError, UnavailableError
from membus.events.ports import OverflowQueue, PoisonMessageQueue, SourceQueue
from membus.tenants.model import RateLimit
from membus.tenants.ports import UsageLedger, UsageMonitor


def count_arrivals(
    messages: Iterable[QueueMessage], *, day: date, ledger: UsageLedger, monitor: UsageMonitor
) -> None:
    """Add the events that are delivered for the first time; a ledger that is down stops no event."""
    arrived = Counter(
        tenant for message in messages if message.receive_count == 1 and (tenant := message.tenant_id)
    )
    for tenant, events in arrived.items():
        try:
            ledger.add_event_count(tenant, day, events)
        except Exception as error:  # noqa: BLE001 - a count that is off is better than a batch that is not learned from
            monitor.log_warning(
                "events are not counted", tenant_id=tenant, events=events, error=type(error).__name__
            )


QUOTA_TENANTS_MAX = 10_000


class TenantQuotas:
    """How much of each tenant this environment still reads at once.

    It counts for itself, no store is asked.
    """

    def __init__(self, share: RateLimit, clock: Clock) -> None:
        self._share, self._clock = share, clock
        self._until_us: dict[str, int] = {}

    def consume_quota(self, tenant: str) -> bool:
        """Return whether one more event of the tenant is within its share."""
        now_us = int(self._clock().timestamp() * 1_000_000)
        until_us = self._until_us.get(tenant, 0)
        if self._share.wait_seconds(1, until_us=until_us, now_us=now_us):
            return False
        if len(self._until_us) >= QUOTA_TENANTS_MAX:
            self._until_us.clear()
        self._until_us[tenant] = self._share.used_until_us(1, until_us=until_us, now_us=now_us)
        return True


def split_overflow(
    messages: Sequence[QueueMessage],
    *,
    shares: TenantQuotas,
    surplus: OverflowQueue,
    tell: Callable[[Mapping[str, int], int], None],
) -> list[QueueMessage]:
    """Return the messages to read now; the surplus queue holds the others before this one lets go of them.

    What it does not take is read now. `tell` hears how many of each tenant it took, and how many it did not.
    """
    beyond = [
        message
        for message in messages
        if message.tenant_id is not None and not shares.consume_quota(message.tenant_id)
    ]
    if not beyond:
        return list(messages)
    taken = beyond[: surplus.send_messages([(message.body, message.tenant_id or "") for message in beyond])]
    tell(Counter(message.tenant_id or "" for message in taken), len(beyond) - len(taken))
    gone = {message.message_id for message in taken}
    return [message for message in messages if message.message_id not in gone]


NON_RETRYABLE_REASONS = frozenset({"refused", "malformed", "max_tokens", "too_long"})
"""Reasons of a ModelError that the same words would meet again.

Such a message is put aside, not tried again.
"""
OWN_FAILURES_MAX = 5
"""A message that fails by itself this often goes to the dead-letter queue, with its reason."""
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 10, 900
"""A part that is down gets 10, 40, 160, 640 and then 900 seconds to come back. The queue hands a message out
twelve times (`max_receive_count` in Terraform): it waits out two hours."""


@dataclass(frozen=True)
class RedeliveryPolicy:
    """`tell` writes one log line: what happened, and its fields."""

    queue: SourceQueue
    dead_letters: PoisonMessageQueue
    quarantine: PoisonMessageQueue
    tell: Callable[[str, dict[str, object]], None]

    def handle_failure(self, message: QueueMessage, error: Exception) -> bool:
        """Return whether the queue shall hand the message out again; otherwise it lies where people look.

        That is the quarantine for what no model can read, the dead-letter queue for what failed too often.

        Of an error that is none of ours only the kind and the place are told: its words may quote what a user
        said.
        """
        code, detail = (
            (error.code, error.detail) if isinstance(error, MembusError) else ("defect", _place(error))
        )
        told = {
            "message_id": message.message_id,
            "receives": message.receive_count,
            "code": code,
            "detail": detail,
        }
        if isinstance(error, ModelError) and error.reason in NON_RETRYABLE_REASONS:
            return not self._put_aside(self.quarantine, message, f"{code}.{error.reason}: {detail}", told)
        if not _is_transient(error) and message.receive_count >= OWN_FAILURES_MAX:
            return not self._put_aside(self.dead_letters, message, f"{code}: {detail}", told)
        wait_seconds = _wait_seconds(message.receive_count, error)
        self.tell("message comes back", told | {"again_in_seconds": wait_seconds})
        try:
            self.queue.delay_retry(message.receipt, seconds=wait_seconds)
        except UnavailableError as unavailable:
            self.tell("the queue keeps its own timeout", told | {"detail": unavailable.detail})
        return True

    def _put_aside(
        self, place: PoisonMessageQueue, message: QueueMessage, reason: str, told: dict[str, object]
    ) -> bool:
        try:
            place.send_message(message.body, reason=reason)
        except UnavailableError as unavailable:
            self.tell("the message comes back: it could not be put aside", told | {"why": unavailable.detail})
            return False
        self.tell("message put aside", told | {"reason": reason})
        return True


def _is_transient(error: Exception) -> bool:
    """Whether the fault is another's and passes: a part that is down, a race that was lost."""
    return isinstance(error, ConflictError | UnavailableError) and not isinstance(error, ModelError)


def _wait_seconds(receives: int, error: Exception) -> int:
    down = isinstance(error, UnavailableError) and not isinstance(error, ModelError)
    grown: int = BACKOFF_SECONDS * 4 ** (receives - 1) if down else 2**receives
    return min(grown, BACKOFF_SECONDS_MAX)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno}"
