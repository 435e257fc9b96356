"""Days and moments as operators write them."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no day; write 2026-11-20") from error


def parse_moment(text: str) -> datetime:
    """Return a day or a moment; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"'{text}' is no date; write 2026-11-20 or 2026-11-20T08:00:00+01:00"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
