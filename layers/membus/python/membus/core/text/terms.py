"""The English stemmer that both sides of a search share.

Porter's second algorithm, as Snowball publishes it.

The words of a text as the lexical index knows them: lower case, no stop words, stemmed.
"""

import re
from functools import lru_cache

_DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_KEPT_DOUBLES = {"add", "egg", "off"}  # whole words whose double letter is no trace of a suffix
_AFTER_LI = "cdeghkmnrt"
_IRREGULAR = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
} | {word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")}
_DONE_AFTER_PLURAL = {"inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"}
_LATE_REGION = re.compile("gener|commun|arsen")
_REGION = re.compile("[aeiouy][^aeiouy]")
_SHORT_END = re.compile("(?:[^aeiouy][aeiouy][^aeiouywxY]|^[aeiouy][^aeiouy])$")
_VOWEL = re.compile("[aeiouy]")
_STEP_2 = {
    "ization": "ize",
    "ational": "ate",
    "fulness": "ful",
    "ousness": "ous",
    "iveness": "ive",
    "tional": "tion",
    "biliti": "ble",
    "lessli": "less",
    "entli": "ent",
    "ation": "ate",
    "alism": "al",
    "aliti": "al",
    "ousli": "ous",
    "iviti": "ive",
    "fulli": "ful",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "izer": "ize",
    "ator": "ate",
    "alli": "al",
    "bli": "ble",
    "ogi": "og",
    "li": "",
}
_STEP_3 = {
    "ational": "ate",
    "tional": "tion",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ative": "",
    "ical": "ic",
    "ness": "",
    "ful": "",
}
_STEP_4 = (
    "ement",
    "ance",
    "ence",
    "able",
    "ible",
    "ment",
    "ant",
    "ent",
    "ism",
    "ate",
    "iti",
    "ous",
    "ive",
    "ize",
    "ion",
    "al",
    "er",
    "ic",
)


@lru_cache(maxsize=65_536)
def stem_word(word: str) -> str:
    """Return the stem of a lower-case word; what is not a plain English word comes back as it is."""
    word = word.strip("'")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2 or not word.isascii():  # noqa: PLR2004 - nothing of so short a word is a suffix
        return word
    word = _singular(_mark_consonant_y(word.removesuffix("'s")))
    if word in _DONE_AFTER_PLURAL:
        return word
    first, second = _regions(word)
    word = _y_to_i(_without_ed_ing(word, first))
    word = _derived(word, first, _STEP_2)
    word = _derived_again(word, first, second)
    return _without_final_e_l(_residue(word, second), first, second).lower()


def _mark_consonant_y(word: str) -> str:
    return re.sub("(^|[aeiouy])y", r"\1Y", word)


def _regions(word: str) -> tuple[int, int]:
    late = _LATE_REGION.match(word)
    first = late.end() if late else _after_syllable(word, 0)
    return first, _after_syllable(word, first)


def _after_syllable(word: str, start: int) -> int:
    found = _REGION.search(word, start)
    return found.end() if found else len(word)


def _singular(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > len("dies") else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _VOWEL.search(word, 0, len(word) - 2):
        return word[:-1]
    return word


def _without_ed_ing(word: str, first: int) -> str:
    for suffix in ("eedly", "eed"):
        if word.endswith(suffix):
            cut = len(word) - len(suffix)
            return word[:cut] + "ee" if cut >= first else word
    for suffix in ("ingly", "edly", "ing", "ed"):
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            return _repair_stem(rest, first) if _VOWEL.search(rest) else word
    return word


def _repair_stem(word: str, first: int) -> str:
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if word.endswith(_DOUBLES) and word not in _KEPT_DOUBLES:
        return word[:-1]
    return word + "e" if len(word) <= first and _SHORT_END.search(word) else word


def _y_to_i(word: str) -> str:
    ends = len(word) > 2 and word[-1] in "yY" and word[-2] not in "aeiouy"  # noqa: PLR2004 - «by» keeps its y
    return word[:-1] + "i" if ends else word


def _derived(word: str, first: int, endings: dict[str, str]) -> str:
    for suffix, instead in endings.items():
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            return rest + instead if len(rest) >= first and _allows(rest, suffix) else word
    return word


def _allows(rest: str, suffix: str) -> bool:
    if suffix == "li":
        return rest[-1:] in tuple(_AFTER_LI)
    return suffix != "ogi" or rest.endswith("l")


def _derived_again(word: str, first: int, second: int) -> str:
    if word.endswith("ative"):
        return word[:-5] if len(word) - 5 >= second else word
    return _derived(word, first, _STEP_3)


def _residue(word: str, second: int) -> str:
    for suffix in _STEP_4:
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            fits = len(rest) >= second and (suffix != "ion" or rest.endswith(("s", "t")))
            return rest if fits else word
    return word


def _without_final_e_l(word: str, first: int, second: int) -> str:
    cut = len(word) - 1
    if word.endswith("e"):
        short = bool(_SHORT_END.search(word[:-1]))
        return word[:-1] if cut >= second or (cut >= first and not short) else word
    return word[:-1] if word.endswith("ll") and cut >= second else word


_TOKEN = re.compile(r"[^\W_]+(?:'[a-z]+)?")
# PostgreSQL's list for English (Snowball's), so that an index made there and one made here agree.
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


def split_words(text: str) -> list[str]:
    return _TOKEN.findall(text.lower().replace("\u2019", "'"))


def stem_words(text: str) -> list[str]:
    """Return the stems in reading order, repeated as often as they are said."""
    return [stem_word(word) for word in split_words(text) if word.partition("'")[0] not in STOP_WORDS]
