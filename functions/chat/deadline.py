"""How long a turn may be worked on in this invocation."""

from collections.abc import Callable
from dataclasses import dataclass


class DeadlineError(Exception):
    """The time of a request is over before its turn is; the turn goes on in the background."""


@dataclass(frozen=True)
class Deadline:
    """The end of the work here; a `resumable` turn goes on elsewhere, any other is answered in time."""

    seconds_left: Callable[[], float]
    resumable: bool = False

    def require(self, seconds: float) -> None:
        """Raise DeadlineError where less is left and the turn can go on elsewhere."""
        if self.resumable and self.seconds_left() < seconds:
            raise DeadlineError
