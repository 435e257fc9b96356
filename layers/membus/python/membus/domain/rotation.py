"""How long copies live that no query reaches, and when the last one of what is erased today is gone."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

QUEUE_DAYS = 14
"""How long a queue keeps a message that nobody can read as anybody's."""
STREAM_DAYS = 1


def rotations(days: Mapping[str, int], *, erased_at: datetime) -> dict[str, date]:
    """Return the day on which the last copy of each kind is gone; a kind that keeps nothing is left out."""
    fixed = {"queues": QUEUE_DAYS, "streams": STREAM_DAYS}
    return {
        name: (erased_at + timedelta(days=kept + 1)).date()
        for name, kept in sorted({**days, **fixed}.items())
        if kept > 0
    }
