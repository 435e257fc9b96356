"""Terms: the words of a text as the lexical index has them, in lower case, stemmed, without stop words.

Stored stems and stems of a query have to agree: another version of the stemmer asks for a reindex.
"""

import re
import unicodedata
from collections.abc import Iterator

from Stemmer import Stemmer

_STEMMER = Stemmer("english")  # Porter's second algorithm, as Snowball publishes it
_MARKS = (
    # Europe, the Near East
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    # India, Thailand, Laos
    "\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u17b4-\u17d3"  # Burma, Cambodia
)
"""Characters that combine with a letter, for which Python's \\w ends a word."""
_TOKEN = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?:'[a-z]+)?")
_UNSPACED = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[\u3041-\u309f]+|[\u30a0-\u30ff]+|[\uac00-\ud7af]+"
    r"|[\u0e00-\u0e7f]+|[\u0e80-\u0eff]+|[\u1000-\u109f]+|[\u1780-\u17ff]+"
)
"""Runs of Han, kana, Hangul, Thai, Lao, Burmese and Khmer, which put no space between words."""
_ACCENTS = re.compile("(?<=[a-z\u03b1-\u03c9])[\u0300-\u036f]+")
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
    """Return the words of a text in reading order, in lower case and without accents: `café` is `cafe`.

    Scripts without spaces have no words to tell apart; each two neighbouring letters stand for one.
    """
    text = text.lower().replace("\u2019", "'")
    if text.isascii():
        return _TOKEN.findall(text)
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))
    return [word for token in _TOKEN.findall(folded) for word in _split_unspaced(token)]


def _split_unspaced(token: str) -> Iterator[str]:
    end = 0
    for run in _UNSPACED.finditer(token):
        if end < run.start():
            yield token[end : run.start()]
        letters, end = run[0], run.end()
        yield from (letters[at : at + 2] for at in range(max(1, len(letters) - 1)))
    if end < len(token):
        yield token[end:]


def stem_words(text: str) -> list[str]:
    """Return the stems of a text in reading order, without stop words, repeated as often as they are said."""
    return [stem_word(word) for word in split_words(text) if word.partition("'")[0] not in STOP_WORDS]
