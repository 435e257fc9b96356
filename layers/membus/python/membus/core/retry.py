"""Retries with jitter: how often a lost race is run again, and how long the loser waits (ADR 54)."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from membus.core.errors import ConflictError, UnavailableError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class RetryPolicy:
    """At most `tries` tries; the longest first pause is `pause_seconds`, each further one twice as long.

    The pause itself is a random part of the longest one, or all losers would meet again.
    """

    tries: int
    pause_seconds: float

    def wait(
        self,
        tried: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[float, float], float] = random.uniform,
        seconds_left: Callable[[], float] = lambda: math.inf,
    ) -> bool:
        """Wait after try number `tried` (from 0); return False, at once, where no other may follow."""
        longest = self.pause_seconds * 2**tried
        if tried + 1 >= self.tries or seconds_left() < longest:
            return False
        sleep(draw(0, longest))
        return True


def commit_with_retry(
    prepare: Callable[[int], T],
    commit: Callable[[T], R],
    *,
    policy: RetryPolicy,
    busy: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
    draw: Callable[[float, float], float] = random.uniform,
    seconds_left: Callable[[], float] = lambda: math.inf,
) -> R:
    """Commit what `prepare` makes of the stored state; prepare it anew where somebody else was faster.

    `prepare` is given the number of tries before this one. Only a conflict of `commit` is run again.

    Raises:
        ConflictError: every try lost, or no time was left for another.
        UnavailableError: the same, where `busy` says what the caller reads then.
    """
    tried = 0
    while True:
        prepared = prepare(tried)
        try:
            return commit(prepared)
        except ConflictError as lost:
            if not policy.wait(tried, sleep=sleep, draw=draw, seconds_left=seconds_left):
                if busy is None:
                    raise
                raise UnavailableError(busy, retry_after_seconds=1) from lost
        tried += 1
