"""Waits until extraction is done: the queue is empty, nothing is in work and the profiles stand still."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts.demo.failure import DemoError

QUIET_POLLS = 3
POLL_SECONDS = 1.0
STALLED_SECONDS = 420.0
"""A message that failed is seen again after the queue's visibility timeout of 360 seconds.

Six times the function's.
"""


@dataclass(frozen=True)
class QueueDepth:
    """Messages of the extract queues by state; `dead` are those in its dead-letter queue."""

    waiting: int
    in_work: int
    delayed: int
    dead: int

    @property
    def left(self) -> int:
        return self.waiting + self.in_work + self.delayed


@dataclass(frozen=True)
class PollClock:
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


def wait_until_extracted(
    depth: Callable[[], QueueDepth],
    versions: Callable[[], tuple[int, ...]],
    *,
    report: Callable[[QueueDepth, float], object],
    clock: PollClock,
) -> QueueDepth:
    """Return the last depth once queue and profile versions were quiet for three polls.

    `report` hears each depth and for how many seconds nothing has moved.
    Raises DemoError when nothing has moved for longer than a failed message stays hidden.
    """
    seen: tuple[QueueDepth, tuple[int, ...]] | None = None
    quiet, moved_at = 0, clock.now()
    while quiet < QUIET_POLLS:
        before, seen = seen, (depth(), versions())
        if seen != before:
            quiet, moved_at = 0, clock.now()
        report(seen[0], clock.now() - moved_at)
        quiet = quiet + 1 if seen[0].left == 0 else 0
        if clock.now() - moved_at > STALLED_SECONDS:
            raise DemoError(_stalled(seen[0]))
        if quiet < QUIET_POLLS:
            clock.sleep(POLL_SECONDS)
    return seen[0] if seen else depth()


def _stalled(depth: QueueDepth) -> str:
    return (
        f"Extraction has stood still for {STALLED_SECONDS / 60:.0f} minutes. Queue membus-local-extract: "
        f"{depth.waiting} waiting, {depth.in_work} in work, {depth.delayed} delayed; dead-letter queue "
        f"membus-local-extract-dlq: {depth.dead}. The logs are below .local/logs; `make status` says what runs."
    )
