"""A circuit breaker: a model that keeps failing is left alone for a while, then tried by one call."""

import threading
import time
from collections.abc import Iterator

from membus.domain.prompt import ModelEvent, ModelReply, ReplyEnd
from membus.errors import ModelError, UnavailableError
from membus.ports.model import ChatModelClient, ModelRequest

FAILURES_MAX = 5
OPEN_SECONDS = 30.0
"""After five failures in a row a model is left alone for 30 seconds.

What Powertools' own breaker does too.
"""


class CircuitBreaker:
    """Counts one model's failures in one execution environment; threads may share it.

    Closed, it lets everybody through. Open, nobody. Half open, after OPEN_SECONDS, one call, whose end
    decides.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures, self._opens_until = 0, 0.0

    def enter(self) -> None:
        """Raise UnavailableError, with the time until the next probe, unless a call may go through."""
        with self._lock:
            if self._failures < FAILURES_MAX:
                return
            left = self._opens_until - time.monotonic()
            if left > 0:
                raise UnavailableError(
                    "the model keeps failing and is left alone for a moment",
                    code="model_unavailable",
                    retry_after_seconds=int(left) + 1,
                )
            self._opens_until = (
                time.monotonic() + OPEN_SECONDS
            )  # this call is the probe; others wait for its end

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._opens_until = time.monotonic() + OPEN_SECONDS


class CircuitBreakerClient:
    def __init__(self, speaker: ChatModelClient, breaker: CircuitBreaker) -> None:
        self._speaker, self._breaker, self.name = speaker, breaker, speaker.name

    def reply(self, question: ModelRequest) -> ModelReply:
        self._breaker.enter()
        try:
            reply = self._speaker.reply(question)
        except UnavailableError as error:
            self._judge(error)
            raise
        self._breaker.succeeded()
        return reply

    def stream(self, question: ModelRequest) -> Iterator[ModelEvent]:
        self._breaker.enter()
        try:
            for event in self._speaker.stream(question):
                if isinstance(event, ReplyEnd):
                    self._breaker.succeeded()
                yield event
        except UnavailableError as error:
            self._judge(error)
            raise

    def _judge(self, error: UnavailableError) -> None:
        """An answer that cannot be used shows that the model is there; only being away counts against it."""
        if isinstance(error, ModelError):
            self._breaker.succeeded()
        else:
            self._breaker.failed()
