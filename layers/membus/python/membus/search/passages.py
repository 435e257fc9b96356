"""Passages of a text: the unit that is embedded, indexed, ranked and recalled; and the speaker of a text.

A passage has about 110 word pieces, some 80 words, for two reasons. MiniLM reads 256 pieces and blurs what it
reads, and a prompt pays for every piece it recalls. A short message stays whole.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from membus.core.text.terms import stem_words

MODEL_ROLES = frozenset({"assistant", "ai", "bot", "model", "agent"})
ROLES = frozenset({"user", "human", "system", "tool"}) | MODEL_ROLES
_SPEAKER_PREFIX = re.compile(
    rf"({'|'.join(sorted(ROLES))}|[A-Z][\w'.-]{{0,30}}(?: [A-Z][\w'.-]{{0,30}}){{0,2}}): "
)


def find_speaker(text: str) -> str | None:
    """Return «Ada» for «Ada: I moved», as transcripts write it."""
    found = _SPEAKER_PREFIX.match(text)
    return found[1] if found else None


def with_speaker(speaker: str | None, text: str) -> str:
    """Return the text with its speaker in front, unless it is there already, as in transcripts."""
    return text if not speaker or text.startswith(f"{speaker}: ") else f"{speaker}: {text}"


def is_role(speaker: str | None) -> bool:
    return (speaker or "").lower() in ROLES


def is_model(speaker: str | None) -> bool:
    return (speaker or "").lower() in MODEL_ROLES


PASSAGE_PIECES = 110
# A text just above the size stays whole: half a message answers less than a slightly long one.
_KEEP_WHOLE_FACTOR = 1.25
# A sentence that ends just after the size still belongs to the passage.
_OVERRUN_FACTOR = 1.15
# A long word has a piece for so many letters, as measured on code, lists and speech.
_LETTERS_PER_PIECE = 7
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BORDER = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True)
class Passage:
    """`text` is recalled, `embedded_text` embedded, `stems` (joined by spaces) indexed by words.

    `length` counts the passage's stems, `message_length` those of all passages of its message.
    """

    part: int
    text: str
    embedded_text: str
    stems: str
    length: int
    message_length: int


def index_passages(text: str, *, speaker: str | None = None) -> list[Passage]:
    """Return the passages of one message, event, fact or document, in order; none for a blank text."""
    parts = [(part, _index_stems(part, speaker)) for part in split_passages(text) if part]
    message_length = sum(len(stems) for _, stems in parts)
    return [
        Passage(
            part=number,
            text=part,
            embedded_text=with_speaker(speaker, part),
            stems=" ".join(stems),
            length=len(stems),
            message_length=message_length,
        )
        for number, (part, stems) in enumerate(parts)
    ]


def split_passages(text: str, size: int = PASSAGE_PIECES) -> list[str]:
    """Cut at ends of sentences and lines into parts of about equal size; a long sentence is cut inside."""
    total = count_pieces(text)
    if total <= size * _KEEP_WHOLE_FACTOR:
        return [text.strip()]
    even = total / -(-total // size)
    parts, current, filled = [], "", 0
    for sentence in _sentences(text, size):
        more = count_pieces(sentence)
        if current and (filled + more > size * _OVERRUN_FACTOR or filled + more / 2 > even):
            parts.append(current.strip())
            current, filled = "", 0
        current, filled = current + sentence, filled + more
    return [*parts, current.strip()]


def count_pieces(text: str) -> int:
    """Estimate the word pieces of a text without a tokenizer, which differs by embedding model anyway."""
    return sum(1 + (len(token) - 1) // _LETTERS_PER_PIECE for token in _TOKEN.findall(text))


def _index_stems(text: str, speaker: str | None) -> list[str]:
    """Return the stems of a text with its speaker's name, unless that is a role, which no query asks for."""
    spoken = with_speaker(speaker, text)
    return stem_words(spoken[len(speaker) :] if speaker and is_role(speaker) else spoken)


def _sentences(text: str, size: int) -> list[str]:
    cuts = [0, *(border.end() for border in _BORDER.finditer(text)), len(text)]
    whole = [text[start:end] for start, end in pairwise(cuts) if text[start:end].strip()]
    return [part for sentence in whole for part in _split_sentence(sentence, size)]


def _split_sentence(sentence: str, size: int) -> list[str]:
    """Cut a long sentence between words, and a long word, such as a key or a blob, inside."""
    if count_pieces(sentence) <= size:
        return [sentence]
    longest = size * 3
    words = [w[i : i + longest] for w in _WORD.findall(sentence) for i in range(0, len(w), longest)]
    parts, filled = [""], 0
    for word in words:
        more = count_pieces(word)
        if filled + more > size and parts[-1]:
            parts.append("")
            filled = 0
        parts[-1] += word
        filled += more
    return parts
