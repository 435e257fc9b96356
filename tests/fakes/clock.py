"""A clock that stands still until it is told to move."""

from datetime import datetime, timedelta

from tests.factories import NOON


class StoppedClock:
    def __init__(self, at: datetime = NOON) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        self._at += by
