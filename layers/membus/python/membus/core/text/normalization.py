"""Texts in one form for comparisons: what looks the same is the same."""

import re
import unicodedata

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories of controls, formats (zero-width characters among them), surrogates and spaces."""


def is_blank(text: object) -> bool:
    """Return True for anything but a string with at least one visible character."""
    return not isinstance(text, str) or all(
        unicodedata.category(character) in INVISIBLE_CATEGORIES for character in text
    )


_APOSTROPHE = re.compile(r"(?<=\w)[’‘`´](?=\w)")


def normalize_characters(text: str) -> str:
    """Return the text without invisible characters and look-alike forms."""
    read = (
        character
        for character in unicodedata.normalize("NFKC", text)
        if unicodedata.category(character) != "Cf"
    )
    return _APOSTROPHE.sub("'", "".join(read))


def fold_case(text: str) -> str:
    """Return the text as it is shown, in one case; its lines and quotation marks stay."""
    return normalize_characters(text).casefold()


def normalize_text(text: str) -> str:
    """Return the text as it reads: as it is shown, in one case, on one line, one space between words."""
    return " ".join(fold_case(text).split())


def phrase_pattern(words: str) -> re.Pattern[str]:
    """Return the pattern of these words, whatever white space is between them, that cuts no word at its ends.

    Only scripts with spaces have words to cut.
    """
    begins, ends = r"(?:(?<![a-z0-9])|(?![a-z0-9]))", r"(?:(?![a-z0-9])|(?<![a-z0-9]))"
    return re.compile(begins + r"\s+".join(re.escape(word) for word in fold_case(words).split()) + ends)
