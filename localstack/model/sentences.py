"""Splits what people write in chats into sentences, and what stands before a question from the question."""

import re

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_ASIDE = re.compile(
    r"(?:,| [-\u2013\u2014]+) (?=(?:and |but |so )?(?:what|how|where|when|who|why|which|do|does|did|is|are|have|has"
    r"|any|can|could|would|will|should|you|I was wondering|I'm wondering|I wonder)\b[^,]*\?)",
    re.IGNORECASE,
)


def sentences_of(text: str) -> list[str]:
    return [sentence for part in _END.split(text) if (sentence := part.strip())]


def clauses_of(text: str) -> list[str]:
    """Return the sentences, a question at the end of one as its own.

    "I live in Porto, do you?" states and asks.
    """
    return [
        clause
        for sentence in sentences_of(text)
        for part in _ASIDE.split(sentence)
        if (clause := part.strip())
    ]
