"""The local stack of the demo: start it, read its extract queues, wait until extraction is done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localstack import aws, cli, home
from localstack.home import LOCAL, Home, Stack
from scripts.demo import DemoError

QUIET_POLLS = 3
POLL_SECONDS = 1.0
STALLED_SECONDS = 420.0
"""A failed message is received again after the queue's visibility timeout, 360 seconds."""
QUEUE = "membus-local-extract"
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


def running_stack() -> Stack:
    """Return the stack once `localstack up` says that all of it runs; it prints its own progress."""
    code = cli.main(["up"])
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise DemoError("The local stack did not start; the reason is above. `make status` says what runs.")
    return Stack.read(Home(LOCAL).stack_file)


def model_is_a_stand_in() -> bool:
    """Return whether the stack's own model server answers: there is no key for the real one."""
    return not home.read_environment().get("ANTHROPIC_API_KEY")


@dataclass(frozen=True)
class QueueDepth:
    """Messages of the extract queues by state; `dead` are those in their dead-letter queue."""

    waiting: int
    in_work: int
    delayed: int
    dead: int

    @property
    def messages_left(self) -> int:
        return self.waiting + self.in_work + self.delayed


class ExtractQueue:
    def __init__(self, endpoint_url: str) -> None:
        self._sqs = aws.session().client("sqs", endpoint_url=endpoint_url)

    def get_depth(self) -> QueueDepth:
        """Return the depth of the extract queue together with its overflow queue."""
        normal, overflow, dead = (self._count_messages(f"{QUEUE}{end}") for end in ("", "-surplus", "-dlq"))
        waiting, in_work, delayed = map(sum, zip(normal, overflow, strict=True))
        return QueueDepth(waiting, in_work, delayed, dead=sum(dead))

    def _count_messages(self, queue: str) -> list[int]:
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        counts: Any = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return [int(counts[f"ApproximateNumberOfMessages{state}"]) for state in ("", "NotVisible", "Delayed")]


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
    """Return the last depth once the queue was empty and no profile changed for three polls.

    `report` gets each depth and for how many seconds nothing has changed.

    Raises:
        DemoError: nothing has changed for longer than a failed message stays invisible.
    """
    seen: tuple[QueueDepth, tuple[int, ...]] | None = None
    quiet, changed_at = 0, clock.now()
    while True:
        before, seen = seen, (depth(), versions())
        if seen != before:
            quiet, changed_at = 0, clock.now()
        still_seconds = clock.now() - changed_at
        report(seen[0], still_seconds)
        quiet = 0 if seen[0].messages_left else quiet + 1
        if quiet == QUIET_POLLS:
            return seen[0]
        if still_seconds > STALLED_SECONDS:
            raise DemoError(_stalled(seen[0]))
        clock.sleep(POLL_SECONDS)


def _stalled(depth: QueueDepth) -> str:
    return (
        f"Extraction has made no progress for {STALLED_SECONDS / 60:.0f} minutes. Queue {QUEUE}: "
        f"{depth.waiting} waiting, {depth.in_work} in work, {depth.delayed} delayed; dead-letter queue "
        f"{QUEUE}-dlq: {depth.dead}. The logs are below .local/logs; `make status` says what runs."
    )
