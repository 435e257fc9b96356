"""What becomes of a message that failed.

Another try after a wait that fits the fault, or a place where people look.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass

from functions.extract.api import QueueMessage
from membus.errors import ConflictError, MembusError, ModelError, UnavailableError
from membus.ports.events import PoisonMessageQueue, SourceQueue

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

    def again(self, message: QueueMessage, error: Exception) -> bool:
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
            "receives": message.receives,
            "code": code,
            "detail": detail,
        }
        if isinstance(error, ModelError) and error.reason in NON_RETRYABLE_REASONS:
            return not self._put_aside(self.quarantine, message, f"{code}.{error.reason}: {detail}", told)
        if not _is_transient(error) and message.receives >= OWN_FAILURES_MAX:
            return not self._put_aside(self.dead_letters, message, f"{code}: {detail}", told)
        wait_seconds = _wait_seconds(message.receives, error)
        self.tell("message comes back", told | {"again_in_seconds": wait_seconds})
        try:
            self.queue.retry_in(message.receipt, seconds=wait_seconds)
        except UnavailableError as unavailable:
            self.tell("the queue keeps its own timeout", told | {"detail": unavailable.detail})
        return True

    def _put_aside(
        self, place: PoisonMessageQueue, message: QueueMessage, reason: str, told: dict[str, object]
    ) -> bool:
        try:
            place.park(message.body, reason=reason)
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
