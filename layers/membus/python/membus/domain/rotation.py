"""How long copies live that no query reaches, and when the last one of what is erased today is gone."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

STREAM_RETENTION_DAYS = 1
"""DynamoDB's own: nobody can set it."""


def copy_expiry_dates(days: Mapping[str, int], *, erased_at: datetime) -> dict[str, date]:
    """Return the day on which the last copy of each kind is gone; a kind that keeps nothing is left out."""
    return {
        name: (erased_at + timedelta(days=kept + 1)).date()
        for name, kept in sorted({**days, "streams": STREAM_RETENTION_DAYS}.items())
        if kept > 0
    }
