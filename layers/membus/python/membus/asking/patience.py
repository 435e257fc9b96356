"""A speaker that is asked again while it is busy, as long as the deadline allows."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from membus.domain.prompt import ModelEvent, ModelReply
from membus.errors import BusyError
from membus.ports.model import ChatModelClient, ModelRequest

RETRY_PAUSES_SECONDS = (0.5, 2.0)
"""Seconds before the second and the third try, or longer where the provider asks for it and the deadline allows."""
T = TypeVar("T")


class RetryingClient:
    def __init__(self, speaker: ChatModelClient) -> None:
        self._speaker, self.name = speaker, speaker.name

    def reply(self, question: ModelRequest) -> ModelReply:
        return _retry_while_busy(lambda: self._speaker.reply(question), question.ends_at)

    def stream(self, question: ModelRequest) -> Iterator[ModelEvent]:
        """Only the beginning is tried again: what was heard cannot be taken back."""
        first, rest = _retry_while_busy(
            lambda: start_stream(self._speaker.stream(question)), question.ends_at
        )
        yield first
        yield from rest


def start_stream(stream: Iterator[ModelEvent]) -> tuple[ModelEvent, Iterator[ModelEvent]]:
    """Draw the first event, which asks the model; every stream has one or raises."""
    return next(stream), stream


def _retry_while_busy(act: Callable[[], T], ends_at: float) -> T:
    for pause in (*RETRY_PAUSES_SECONDS, None):
        try:
            return act()
        except BusyError as busy:
            if pause is None:
                raise
            wait = max(pause, busy.asked_seconds or 0)
            if time.monotonic() + wait >= ends_at:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")
