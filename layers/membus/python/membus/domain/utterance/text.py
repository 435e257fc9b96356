"""One form for comparing texts: what looks the same is the same, line breaks stay."""

import re
import unicodedata

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
