"""Whether a text holds anything that a reader would see."""

import unicodedata

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories of controls, formats (zero-width characters among them), surrogates and spaces."""


def is_blank(text: object) -> bool:
    """Return True for anything but a string with at least one visible character."""
    return not isinstance(text, str) or all(
        unicodedata.category(character) in INVISIBLE_CATEGORIES for character in text
    )
