"""Normalised attribute paths: the words that make a fact's key."""

import re
import unicodedata
from typing import Annotated

from pydantic import StringConstraints

SINGLE_VALUED = frozenset({
    "name", "age", "birthday", "home.city", "home.country", "origin.place", "work.role", "work.employer",
    "education.school", "education.field", "relationship.status", "diet", "language", "timezone",
})  # fmt: skip
"""A new value of one of these replaces the old one; every other attribute holds many values side by side."""

FactKey = Annotated[str, StringConstraints(pattern=r"^[\w][\w.-]*$", max_length=200)]
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}")
SLUG_MAX = 60


def fact_key(attribute: str, value: str) -> str | None:
    """Return the key that `value` lives under, or None where the attribute is no path or the value leaves no slug.

    `home.city` is its own key; `likes` takes the value's slug: `likes.hiking`, so that two likes never
    compete and the same like said twice is one fact.
    """
    path = attribute.strip().lower().replace(" ", "_")
    if not _ATTRIBUTE.fullmatch(path):
        return None
    if path in SINGLE_VALUED or path.startswith("setting."):
        return path
    slug = slug_of(value)
    return f"{path}.{slug}" if slug else None


def slug_of(value: str) -> str:
    """Return the letters and digits of `value` in lower case, joined by hyphens; at most 60 characters."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    words = re.findall(r"[^\W_]+", folded)
    while words and words[0] in {"a", "an", "the", "my", "his", "her", "their", "our"}:
        words.pop(0)
    return "-".join(words)[:SLUG_MAX].strip("-")
