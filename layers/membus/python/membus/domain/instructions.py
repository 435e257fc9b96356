"""Texts that would steer whoever reads them: they are never kept as something known about a user."""

import re
import unicodedata

_INSTRUCTION = re.compile(
    r"https?://|www\.|<[^>]{1,80}>|\bsystem prompt\b|\bfrom now on\b|\byou (must|should|are to|will now)\b"
    r"|\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|prompt|rule|memory|above|previous)"
    r"|\b(always|never) (answer|reply|respond|say|tell|recommend)\b",
    re.IGNORECASE,
)


def reads_as_instruction(text: str) -> bool:
    """Whether a text addresses its reader, carries markup or points somewhere else."""
    return _INSTRUCTION.search(plain(text)) is not None


def plain(text: str) -> str:
    """Return the text as it reads: no invisible characters, no look-alike forms, one space, one case."""
    read = (character for character in unicodedata.normalize("NFKC", text) if unicodedata.category(character) != "Cf")
    return " ".join("".join(read).split()).casefold()
