"""Prompts without the blocks that say when things were said."""

import re

_DATES = re.compile(r"<(now|said_on)>\n[^\n]*\n</\1>\n\n")


def undated(text: str) -> str:
    """Return the text of a message without the time at which it is sent, and the day on which it was said."""
    return _DATES.sub("", text)
