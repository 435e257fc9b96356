"""Normalised attribute paths: the words that make a fact's key."""

import hashlib
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

SINGLE_VALUED = frozenset({
    "name", "age", "birthday", "home.city", "home.country", "origin.place", "work.role", "work.employer",
    "education.school", "education.field", "relationship.status", "diet", "language", "timezone",
    "activity.checkout", "activity.plan", "activity.subscription",
})  # fmt: skip
"""A new value of one of these replaces the old one; every other attribute holds many values side by side."""

KEY_MAX = 200


def _is_letter(character: str) -> bool:
    """Letters, the marks that combine with them and decimal digits: without the marks, मोर and मीर are one word."""
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd"


def _key(value: str) -> str:
    if not all(_is_letter(character) or character in "._-" for character in value) or value[0] in ".-":
        raise ValueError("a fact's key is letters, digits, dots, hyphens and underscores")
    return value


FactKey = Annotated[str, StringConstraints(min_length=1, max_length=KEY_MAX), AfterValidator(_key)]
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}")
SLUG_MAX = 60


def fact_key(attribute: str, value: str) -> str | None:
    """Return the key that `value` lives under; None where the attribute is no path, too long, or leaves no slug.

    `home.city` is its own key; `likes` takes the value's slug: `likes.hiking`, so that two likes never
    compete and the same like said twice is one fact.
    """
    path = attribute.strip().lower().replace(" ", "_")
    if len(path) > KEY_MAX - SLUG_MAX - 1 or not _ATTRIBUTE.fullmatch(path):
        return None
    if path in SINGLE_VALUED or path.startswith("setting."):
        return path
    slug = slug_of(value)
    return f"{path}.{slug}" if slug else None


def slug_of(value: str) -> str:
    """Return the letters and digits of `value` in lower case, joined by hyphens; at most 60 characters.

    A longer one ends in a digest: two plans that differ only in their last word are two plans.
    """
    folded = unicodedata.normalize("NFKC", value).casefold()
    words = "".join(character if _is_letter(character) else " " for character in folded).split()
    while words and words[0] in {"a", "an", "the", "my", "his", "her", "their", "our"}:
        words.pop(0)
    slug = "-".join(words)
    if len(slug) <= SLUG_MAX:
        return slug
    digest = hashlib.sha256(slug.encode()).hexdigest()[:8]
    return f"{slug[: SLUG_MAX - len(digest) - 1].rstrip('-')}-{digest}"
