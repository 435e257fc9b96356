"""How a text becomes passages: the unit that is embedded, indexed, ranked and recalled.

A passage holds about 110 word pieces (some 80 words). Two measures ask for so little: MiniLM reads 256 pieces
and blurs what it reads, and a prompt pays for every piece it recalls, so the smaller the passage, the more
evidence a token carries. A short message stays whole.

Who says a text: the name that it opens with, and which names are those of a role.
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
    """Return the text with its speaker in front, once: a transcript has written it there already."""
    return text if not speaker or text.startswith(f"{speaker}: ") else f"{speaker}: {text}"


def is_role(speaker: str | None) -> bool:
    return (speaker or "").lower() in ROLES


def is_model(speaker: str | None) -> bool:
    return (speaker or "").lower() in MODEL_ROLES


PASSAGE_PIECES = 110
_KEEP_WHOLE_FACTOR = (
    1.25  # a text just above the size stays whole: half a message answers less than a slightly long one
)
_OVERRUN_FACTOR = 1.15  # a sentence that ends just behind the size still belongs in front of the border
_LETTERS_PER_PIECE = 7  # measured on code, lists and speech: a long word splits about this often
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BORDER = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True)
class Passage:
    """`text` is recalled, `embedded_text` goes to the embedder, `stems` (joined by spaces) to the lexical index.

    `length` counts the passage's stems, `message_length` those of all passages of its message.
    """

    part: int
    text: str
    embedded_text: str
    stems: str
    length: int
    message_length: int


def index_passages(text: str, *, speaker: str | None = None) -> list[Passage]:
    """Return the passages of one message, event, fact or document, in reading order.

    Nothing for a blank text.
    """
    said = [(part, _indexed_stems(part, speaker)) for part in split_passages(text) if part]
    whole = sum(len(indexed) for _, indexed in said)
    return [
        Passage(
            part=number,
            text=part,
            embedded_text=with_speaker(speaker, part),
            stems=" ".join(indexed),
            length=len(indexed),
            message_length=whole,
        )
        for number, (part, indexed) in enumerate(said)
    ]


def split_passages(text: str, size: int = PASSAGE_PIECES) -> list[str]:
    """Cut on sentence borders and line ends into parts of about equal size.

    Only what has no border is cut inside.
    """
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
    """Estimate a text's word pieces without a tokenizer.

    The real one in production is another model's anyway.
    """
    return sum(1 + (len(token) - 1) // _LETTERS_PER_PIECE for token in _TOKEN.findall(text))


def _indexed_stems(text: str, speaker: str | None) -> list[str]:
    """Index a name with what its bearer says; a role says nothing that a question could ask for."""
    said = with_speaker(speaker, text)
    return stem_words(said[len(speaker) :] if speaker and is_role(speaker) else said)


def _sentences(text: str, size: int) -> list[str]:
    cuts = [0, *(border.end() for border in _BORDER.finditer(text)), len(text)]
    whole = [text[start:end] for start, end in pairwise(cuts) if text[start:end].strip()]
    return [part for sentence in whole for part in _chopped(sentence, size)]


def _chopped(sentence: str, size: int) -> list[str]:
    """Cut a sentence that is itself too long between words, and a word that is too long (a key, a blob) inside."""
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
