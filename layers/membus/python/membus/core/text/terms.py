"""Terms: the words of a text as the lexical index has them, in lower case, stemmed, without stop words.

Stored stems and stems of a query have to agree: another version of the stemmer asks for a reindex.
"""

import re

from Stemmer import Stemmer

_STEMMER = Stemmer("english")  # Porter's second algorithm, as Snowball publishes it
_TOKEN = re.compile(r"[^\W_]+(?:'[a-z]+)?")
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers
    herself it its itself they them their theirs themselves what which who whom this that these those am is are
    was were be been being have has had having do does did doing a an the and but if or because as until while
    of at by for with about against between into through during before after above below to from up down in out
    on off over under again further then once here there when where why how all any both each few more most
    other some such no nor not only own same so than too very s t can will just don should now
    """,
    )
)
"""Snowball's list for English, which PostgreSQL uses too."""


def stem_word(word: str) -> str:
    """Return the stem of a word in lower case."""
    return str(_STEMMER.stemWord(word))


def split_words(text: str) -> list[str]:
    return _TOKEN.findall(text.lower().replace("\u2019", "'"))


def stem_words(text: str) -> list[str]:
    """Return the stems of a text in reading order, without stop words, repeated as often as they are said."""
    return [stem_word(word) for word in split_words(text) if word.partition("'")[0] not in STOP_WORDS]
