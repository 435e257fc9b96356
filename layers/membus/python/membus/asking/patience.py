"""A speaker that is asked again while it is busy, as long as the deadline allows."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from membus.domain.prompt import Reply, Spoken
from membus.errors import BusyError
from membus.ports.model import Question, Speaker

PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try, or longer where the provider asks for it and the deadline allows."""
T = TypeVar("T")


class Patient:
    def __init__(self, speaker: Speaker) -> None:
        self._speaker, self.name = speaker, speaker.name

    def reply(self, question: Question) -> Reply:
        return _patiently(lambda: self._speaker.reply(question), question.ends_at)

    def stream(self, question: Question) -> Iterator[Spoken]:
        """Only the beginning is tried again: what was heard cannot be taken back."""
        first, rest = _patiently(lambda: begun(self._speaker.stream(question)), question.ends_at)
        yield first
        yield from rest


def begun(stream: Iterator[Spoken]) -> tuple[Spoken, Iterator[Spoken]]:
    """Draw the first event, which asks the model; every stream has one or raises."""
    return next(stream), stream


def _patiently(act: Callable[[], T], ends_at: float) -> T:
    for pause in (*PAUSES, None):
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
