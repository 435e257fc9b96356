"""The present moment, so that tests can say what time it is."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Returns the current moment with its time zone, UTC."""
