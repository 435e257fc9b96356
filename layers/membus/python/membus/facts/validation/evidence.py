"""Evidence: where in a text a value stands, its sentence, its clause, and the words that govern it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from membus.core.text.normalization import fold_case, phrase_pattern
from membus.core.text.terms import stem_word, stem_words

_NOT_AFTER = "".join(
    rf"(?<!\b{short}\.)"
    for short in (
        [
            "st",
            "dr",
            "mr",
            "mrs",
            "ms",
            "e.g",
            "i.e",
            "vs",
            "no",
            "jan",
            "feb",
            "mar",
            "apr",
            "jun",
            "jul",
            "aug",
            "sep",
            "sept",
            "oct",
            "nov",
            "dec",
        ]
    )
)
_SENTENCE_END = re.compile(rf"(?<=[.!?…]){_NOT_AFTER}[\"”»’')\]]*\s+|(?<=[。！？])|\n+|;\s+")
_KNOWING = (
    r"\b(?:i|you)(?: (?:already|just|really|do|did|should|must|have to|want to))*"
    r" (?:think|know|believe|guess|said|mean|heard|told you|mention|say|add|admit)(?: that)?\b"
    r"|\b(?:want(?:ed)? to )?let you know(?: that)?\b"
)
"""«I think», «you know» and «I should mention» are clauses of their own."""
_BORDER = re.compile(
    r"[,:，、(]|\s[-–—]+\s|—"
    r"|\b(?:but|while|whereas|although|though|because|so|and|or|nor|who|whose|which|then|yet)\b"
    r"|\b(?:aber|sondern|und|oder|pero|sino|mais|mas|però|et|maar)\b|" + _KNOWING
)
_OWN = re.compile(
    r"(?:my|our|i|we|ich|ik|je|yo|eu|io|soy|estoy|tengo|vivo|trabajo|sou|tenho|moro|sono|ho|abito|suis|bin|habe|ben|heb|jsem|mám"
    r"|jestem|mam|är|har|olen)\b|(?:i'm|j'\w+)\b"
)
"""A clause that begins with its own subject, or with a verb that names it."""
_WORD = re.compile(r"[^\W_]+(?:'[a-z]+)?")


@dataclass(frozen=True)
class Clause:
    """A clause up to the value: `opener` is the border it begins with, `head` its words."""

    opener: str
    head: str


@dataclass(frozen=True)
class Evidence:
    """One place of a value: spans of its sentence and of itself in `speech`, which is case-folded."""

    speech: str
    sentence: tuple[int, int]
    value: tuple[int, int]

    @cached_property
    def text_before(self) -> str:
        """The sentence before the value."""
        return self.speech[self.sentence[0] : self.value[0]]

    @cached_property
    def text_after(self) -> str:
        """The sentence after the value."""
        return self.speech[self.value[1] : self.sentence[1]]

    @cached_property
    def leading_text(self) -> str:
        """The whole speech before the value."""
        return self.speech[: self.value[0]]

    @cached_property
    def follow_up(self) -> str:
        """The beginning of the speech after the sentence."""
        return self.speech[self.sentence[1] :][:80].strip()

    @cached_property
    def sentence_clauses(self) -> list[Clause]:
        """The clauses of the sentence before the value, its own last."""
        borders = [*_BORDER.finditer(self.text_before)]
        starts = [0, *(border.end() for border in borders)]
        ends = [*(border.start() for border in borders), len(self.text_before)]
        openers = ["", *(border[0].strip() for border in borders)]
        heads = (self.text_before[start:end] for start, end in zip(starts, ends, strict=True))
        return [Clause(opener, head.strip()) for opener, head in zip(openers, heads, strict=True)]

    @cached_property
    def clause_head(self) -> str:
        """The value's own clause before the value."""
        return self.sentence_clauses[-1].head

    @cached_property
    def clause_tail(self) -> str:
        """The value's own clause after the value."""
        return own_clause(self.text_after)

    @cached_property
    def governing_words(self) -> str:
        """The value's clause; for an item of a list («tea and coffee») also the clauses that it continues."""
        heads: list[str] = []
        for clause in reversed(self.sentence_clauses):
            heads.insert(0, clause.head)
            if len(clause.head.split()) > 1 or _OWN.match(clause.head) or clause.opener in _AGAINST:
                break
        return " ".join(heads)

    @cached_property
    def is_last(self) -> bool:
        """Whether only its own clause follows the value in the sentence."""
        return _BORDER.search(self.text_after) is None


def own_clause(after: str) -> str:
    """Return the words before the first border of a clause."""
    border = _BORDER.search(after)
    return after[: border.start()] if border else after


_AGAINST = frozenset({"who", "but", "aber", "sondern", "pero", "sino", "mais", "mas", "però", "maar", "yet"})


_ENGLISH = re.compile(r"\b(?:i|i'm|my|the|am|is|and|of|we|our|you)\b")
INFLECTED_LETTERS_MIN = 4
SHORT_NAME_LETTERS = 4
"""A name so short keeps three letters: «v Brně» for Brno."""
ENDING_LETTERS_MAX = 2
INFLECTED_ENDING_LETTERS_MAX = 5


def mentions_inflected(quote: str, value: str) -> bool:
    """Whether each word of the value stands in the quote in another case: «в Москве» for Москва.

    Only where the quote is not English, whose word forms the stemmer knows. The shared beginning is three
    quarters of the value's word, at least four letters, and two letters at most are the value's own ending.
    """
    if _ENGLISH.search(quote):
        return False
    heard = [word for word in re.findall(r"[^\W\d_]+", quote) if len(word) >= INFLECTED_LETTERS_MIN]
    words = re.findall(r"[^\W_]+", value)
    return bool(words) and all(any(_is_inflected(word, said) for said in heard) for word in words)


def _is_inflected(word: str, said: str) -> bool:
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, said, strict=False)))
    if len(word) == len(said) == SHORT_NAME_LETTERS:
        return shared == SHORT_NAME_LETTERS - 1
    return (
        shared >= max(INFLECTED_LETTERS_MIN, len(word) * 3 / 4)
        and len(word) - shared <= ENDING_LETTERS_MAX
        and len(said) - shared <= INFLECTED_ENDING_LETTERS_MAX
    )


def find_evidence(quote: str, value: str, speech: str) -> list[Evidence]:
    """Return every place of the quote in the speech where the value is said; no quote, no place.

    Of a quote over several sentences those count that hold the value itself, else those with one of its
    words.
    """
    text = fold_case(speech)
    spans = (
        [found.span() for found in phrase_pattern(quote).finditer(text)] if fold_case(quote).strip() else []
    )
    sentences = [*_sentences(text)]
    parts = [
        (sentence, max(span[0], sentence[0]), min(span[1], sentence[1]))
        for span in spans
        for sentence in sentences
        if span[0] < sentence[1] and sentence[0] < span[1]
    ]
    literal = phrase_pattern(value)
    whole = [
        Evidence(text, sentence, found.span())
        for sentence, start, end in parts
        for found in literal.finditer(text, start, end)
    ]
    by_words = [*_by_words(text, value, parts)] or [*_by_inflection(text, value, parts)]
    return whole or by_words or [Evidence(text, part[0], part[1:]) for part in parts]


def _by_words(text: str, value: str, parts: list[tuple[tuple[int, int], int, int]]) -> Iterator[Evidence]:
    stems = set(stem_words(value))
    for sentence, start, end in parts:
        for word in _WORD.finditer(text, start, end):
            if stem_word(word[0]) in stems:
                yield Evidence(text, sentence, word.span())
                break


def _by_inflection(
    text: str, value: str, parts: list[tuple[tuple[int, int], int, int]]
) -> Iterator[Evidence]:
    meant = re.findall(r"[^\W_]+", fold_case(value))
    for sentence, start, end in parts:
        if _ENGLISH.search(text, start, end):
            continue
        for word in _WORD.finditer(text, start, end):
            if any(_is_inflected(each, word[0]) for each in meant):
                yield Evidence(text, sentence, word.span())
                break


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for border in _SENTENCE_END.finditer(text):
        if text[start : border.start()].strip():
            yield start, border.start()
        start = border.end()
    if text[start:].strip():
        yield start, len(text)
