"""scripts/demo/stack: when extraction counts as done."""

from collections.abc import Sequence

import pytest

from scripts.demo import DemoError
from scripts.demo.stack import PollClock, QueueDepth, wait_until_extracted


class Observed:
    """Returns depths and versions, one of each a poll, then the last ones; time passes only in sleep."""

    def __init__(self, lefts: Sequence[int], versions: Sequence[int] = (1,)) -> None:
        self._lefts, self._versions = list(lefts), list(versions)
        self.polls = 0
        self.now = 0.0

    def depth(self) -> QueueDepth:
        self.polls += 1
        return QueueDepth(waiting=0, in_work=_next(self._lefts), delayed=0, dead=2)

    def versions(self) -> tuple[int, ...]:
        return (_next(self._versions),)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self) -> QueueDepth:
        clock = PollClock(now=lambda: self.now, sleep=self.sleep)
        return wait_until_extracted(self.depth, self.versions, report=lambda _, __: None, clock=clock)


def _next(values: list[int]) -> int:
    return values.pop(0) if len(values) > 1 else values[0]


def test_queue_must_stay_empty_for_three_polls() -> None:
    observed = Observed([5, 0, 0, 3, 0, 0, 0])

    assert observed.wait().messages_left == 0
    assert observed.polls == 7


def test_profile_that_still_changes_is_waited_for() -> None:
    observed = Observed([0], versions=[1, 2, 3, 4])

    observed.wait()

    assert observed.polls == 6


def test_failed_message_is_waited_for_beyond_its_visibility_timeout() -> None:
    assert Observed([1] * 380 + [0]).wait().messages_left == 0


def test_queue_without_progress_is_reported_with_its_depths_and_logs() -> None:
    with pytest.raises(DemoError) as stalled:
        Observed([4]).wait()

    for part in ("0 waiting, 4 in work, 0 delayed", "membus-local-extract-dlq: 2", "logs"):
        assert part in str(stalled.value)
