"""Starts what is not running of the local stack, and looks at it as its operator.

Waits until extraction is done: the queue is empty, nothing is in work and the profiles stand still.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from localstack import aws, cli, home
from localstack.home import LOCAL, Home, Stack
from scripts.demo import DemoError

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
    def messages_left(self) -> int:
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
        quiet = quiet + 1 if seen[0].messages_left == 0 else 0
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


QUEUE = "membus-local-extract"
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


def running_stack() -> Stack:
    """Return the stack once `localstack up` says that all of it runs; its own output says what it does."""
    code = cli.main(["up"])
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise DemoError("The local stack did not start; what it said is above. `make status` says what runs.")
    return Stack.read(Home(LOCAL).stack_file)


def model_is_a_stand_in() -> bool:
    """Say whether the stack's own model server answers.

    `up` calls the real one where there is a key for it.
    """
    return not home.read_environment().get("ANTHROPIC_API_KEY")


class ExtractQueue:
    """The depth of both queues before `extract`, and of their dead-letter queue."""

    def __init__(self, endpoint_url: str) -> None:
        self._sqs = aws.session().client("sqs", endpoint_url=endpoint_url)

    def get_depth(self) -> QueueDepth:
        waiting, in_work, delayed = map(
            sum, zip(self._messages(QUEUE), self._messages(f"{QUEUE}-surplus"), strict=True)
        )
        return QueueDepth(waiting, in_work, delayed, dead=sum(self._messages(f"{QUEUE}-dlq")))

    def _messages(self, queue: str) -> tuple[int, int, int]:
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        counts = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
            int(counts["ApproximateNumberOfMessagesDelayed"]),
        )
