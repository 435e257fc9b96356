"""Moments and the clock, a port: tests stop it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
Clock = Callable[[], datetime]
"""Returns the current moment in UTC."""


def epoch_ms(moment: datetime) -> int:
    return (moment - EARLIEST) // timedelta(milliseconds=1)


def from_epoch_ms(milliseconds: int) -> datetime:
    return EARLIEST + timedelta(milliseconds=milliseconds)
