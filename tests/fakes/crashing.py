"""Parts that die: before an effect, or after it and before anybody hears of it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from membus.core.errors import UnavailableError


class Death(BaseException):
    """The end of the process in the middle of its work: nothing catches it, nobody hears of it."""


LINE_DEAD = UnavailableError("the line went dead")


class Fuse:
    """Blows at the `at`-th call through it, once; `after` says that the effect happens first."""

    def __init__(self, at: int = 0, *, after: bool = False, fault: BaseException = LINE_DEAD) -> None:
        self._left, self.after, self._fault = at, after, fault

    def through(self, call: Callable[[], Any]) -> Any:
        self._left -= 1
        if self._left != 0:
            return call()
        if self.after:
            call()
        raise self._fault

    @property
    def blown(self) -> bool:
        return self._left == 0


class Fused:
    """Any port with a fuse in front of each of its calls; `fuse` may be changed between deliveries."""

    def __init__(self, part: Any, fuse: Callable[[], Fuse]) -> None:
        self._part, self._fuse = part, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        @wraps(found)
        def call(*args: Any, **fields: Any) -> Any:
            return self._fuse().through(lambda: found(*args, **fields))

        return call
