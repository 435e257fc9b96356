"""Evidence: where in a text a value stands, its sentence, its clause, and the words that govern it."""

import re
import unicodedata
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
    r"|(?<!')\b(?:aber|sondern|und|oder|denn|weil|pero|sino|porque|mais|mas|però|et|y|e|car|donc|puis|pues|parce que|maar|want"
    r"|och|og|eller|fordi"
    r"|ale|lub|nebo|protože|bo|ja|mutta|tai|és|vagy|ve|ama|și|sau|dar|και|αλλά|и|а|но|или|та|але|або)\b"
    r"|(?<!\w)(?:و|ولكن|أو|אבל|או|और|लेकिन|या|แต่|และ)(?!\w)|" + _KNOWING
)
OWN_SUBJECT = (
    r"(?:(?:and|und|y|et|e|en|och|og|i|a|ja|ve|и|та|och) )?"
    r"(?:(?:my|our|i|we|i'\w+|we'\w+|ich|wir|mein\w*|ik|mijn|je|nous|mon|ma|mes|j'\w+|yo|mi|mis|me|soy|estoy|tengo|vivo"
    r"|trabajo|hablo"
    r"|eu|meu|minha|sou|tenho|moro|trabalho|falo|io|mio|mia|sono|ho|abito|lavoro|parlo|suis|bin|habe|ben|heb|jag|min|mitt|jeg"
    r"|mit"
    r"|jsem|mám|můj|moje|bydlím|pracuj[iu]|jestem|mam|mój|moja|mieszkam|pracuję|minä|olen|asun|minulla|én|vagyok|lakom|sunt|am"
    r"|eu|locuiesc|είμαι|έχω|μένω|я|мы|мой|моя|мне|у меня|живу|работаю|saya|aku|tôi)\b|أنا|אני|मैं|मुझे|ฉัน|ผม|[我私僕俺]|저|나[는도])"
)
"""The words by which a clause begins with its own subject, or with a verb that names it."""
_OWN = re.compile(OWN_SUBJECT)
_AFFIRMS = re.compile(
    r"\W*(?:it's|it is|that's|this is|only|just|rather|instead|actually|c'est|plutôt|es ist|nur|eher|sondern|solo|sino|só|sim"
    r"|alleen|bara|utan"
    r"|tylko|jen|vain|только|это|а|只|只是|是)\b|\W*(?:只|是)"
)
"""How a clause begins that says what is so instead: «not Kate, it's Cate», «no coffee, only tea»."""
_CONTRASTS = re.compile(
    r"^\W*(?:(?:no|nein|nee|non|não|нет|nie|nej)\b\W*)*(?:not|nicht|pas|no|non|não|niet|inte|ikke|nie|не|ne|değil|[不没]是?)"
    r"(?: (?!i\b|we\b|like\b|live\b|have\b)[\w'-]+){1,3}\W*$|^不是?\w{1,4}$"
)
"""The first half of «not Bath, Bristol», which denies nothing of the second."""
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
    def is_english(self) -> bool:
        """Whether the sentence may be English: elsewhere «i» is no pronoun."""
        words = set(_WORD.findall(self.speech[slice(*self.sentence)]))
        return len(words & _NOT_ENGLISH_WORDS) <= len(words & _ENGLISH_WORDS)

    @cached_property
    def sentence_clauses(self) -> list[Clause]:
        """The clauses of the sentence before the value, its own last."""
        borders = [*_BORDER.finditer(self.text_before)]
        starts = [0, *(border.end() for border in borders)]
        ends = [*(border.start() for border in borders), len(self.text_before)]
        openers = ["", *(border[0].strip() for border in borders)]
        text = self.text_before if self.is_english else _LONE_I.sub("·", self.text_before)
        heads = (text[start:end] for start, end in zip(starts, ends, strict=True))
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
            if heads and not heads[0] and _CONTRASTS.match(clause.head):
                break
            heads.insert(0, clause.head)
            is_whole = len(clause.head.split()) > 1 or _OWN.match(clause.head) or _AFFIRMS.match(clause.head)
            if is_whole or clause.opener in _AGAINST:
                break
        return " ".join(heads)

    @cached_property
    def is_topic(self) -> bool:
        """Whether the value only names what the rest of the sentence is about: «Techno? Can't stand it.»."""
        return not any(map(str.isalnum, self.text_before)) and _TOPIC_END.match(self.text_after) is not None

    @cached_property
    def is_last(self) -> bool:
        """Whether only its own clause follows the value in the sentence."""
        return _BORDER.search(self.text_after) is None


_TOPIC_END = re.compile(r"\s?[?:,–—-]\s?(?=\w)")


def own_clause(after: str) -> str:
    """Return the words before the first border of a clause."""
    border = _BORDER.search(after)
    return after[: border.start()] if border else after


_LONE_I = re.compile(r"(?<![\w'])i(?![\w'])")
_ENGLISH_WORDS = frozenset(
    re.findall(
        r"\S+",
        "i'm i've i'd i'll my am is are and of we our you the have has to at with from for that this it not was who be",
    )
)
_NOT_ENGLISH_WORDS = frozenset(
    re.findall(
        r"\S+",
        "jag är och bor inte min mitt på som att har jobbar heter jeg ikke og mit hedder er jest jestem się nie mieszkam mam"
        " pracuję w na jsem mám bydlím je se v moje můj moja mój il di che sono mi ho abito gli och ja olen"
        " asun és van egy nem"
        " saya tinggal dan ich und bin mein meine der die das je suis et mon ma mes yo soy y mi vivo el eu"
        " sou e meu minha moro ik ben"
        " en mijn io mio mia sunt locuiesc și în am o la mea tu",
    )
)
_AGAINST = frozenset({"who", "but", "aber", "sondern", "pero", "sino", "mais", "mas", "però", "maar", "yet"})


_ENGLISH = re.compile(r"\b(?:i|i'm|my|the|am|is|and|of|we|our|you)\b")
INFLECTED_LETTERS_MIN = 4
SHORT_NAME_LETTERS_MIN = 3
ENDING_LETTERS_MAX = 2
INFLECTED_ENDING_LETTERS_MAX = 5


def mentions_inflected(quote: str, value: str) -> bool:
    """Whether each word of the value stands in the quote in another case: «в Москве» for Москва.

    Only where the quote is not English, whose word forms the stemmer knows. The shared beginning is three
    quarters of the value's word, at least four letters, and two letters at most are the value's own ending.
    """
    if _ENGLISH.search(quote):
        return False
    heard = re.findall(r"[^\W\d_]+", quote)
    words = re.findall(r"[^\W_]+", value)
    return bool(words) and all(any(_is_inflected(word, said) for said in heard) for word in words)


_ALTERNATIONS = frozenset(
    re.findall(
        r"\S+",
        "h/z k/c g/z g/dz r/rz r/r k/c ch/s ch/š i/о і/о і/е к/ц г/з х/с o/e e/i nk/ng k/ t/ p/ t/d p/v kk/k tt/t pp/p",
    )
)
"""Letters of a stem that change before an ending: Praha and Praze, Львів and Львові, Turku and Turussa."""


def _is_inflected(word: str, said: str) -> bool:
    """Whether two words are forms of one; accents count for nothing, as endings move them."""
    word, said = _fold_accents(word), _fold_accents(said)
    if word == said:
        return True
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, said, strict=False)))
    own, other = len(word) - shared, len(said) - shared
    if _is_short_form(word, said, shared):
        return True
    if len(word) == len(said) and SHORT_NAME_LETTERS_MIN <= len(word) <= INFLECTED_LETTERS_MIN:
        return own == 1 and word[-1] in _VOWELS and said[-1] in _VOWELS
    if own == 0 and shared >= SHORT_NAME_LETTERS_MIN:
        return other < min(shared, INFLECTED_ENDING_LETTERS_MAX + 1)
    if own > ENDING_LETTERS_MAX or other > INFLECTED_ENDING_LETTERS_MAX:
        return False
    least = len(word) - ENDING_LETTERS_MAX if word[0] > _LATIN_END else len(word) * 3 / 4
    return shared >= max(INFLECTED_LETTERS_MIN, least) or (
        shared >= SHORT_NAME_LETTERS_MIN and _alternates(word[shared:], said[shared:])
    )


def _is_short_form(word: str, said: str, shared: int) -> bool:
    """Whether an ending replaces the last vowel of a short name, or the stem loses its vowel before one."""
    replaces = len(word) - shared == 1 and shared >= SHORT_NAME_LETTERS_MIN and word[-1] in _VOWELS
    if replaces and said[shared : shared + 1] in _VOWELS:
        return len(said) - shared <= SHORT_NAME_LETTERS_MIN
    has_vowel = len(word) > INFLECTED_LETTERS_MIN and word[-2] in _FLEETING
    return has_vowel and said.startswith(word[:-2] + word[-1])


def _alternates(own: str, other: str) -> bool:
    return any(
        own.startswith(left) and other.startswith(right) and len(own) - len(left) <= 1
        for left, _, right in (pair.partition("/") for pair in _ALTERNATIONS)
    )


_FLEETING = frozenset("eoеоё")
"""Vowels that a stem loses before an ending: Plzeň and v Plzni."""
_VOWELS = frozenset("aeiouyаеёиоуыэюяіїє")
_LATIN_END = "\u024f"


def _fold_accents(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.replace("ł", "l").replace("ı", "i"))
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


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


TOPIC_WORDS_MAX = 3


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a text; «Techno?» and the sentence that comments on it are one."""
    start = 0
    for border in _SENTENCE_END.finditer(text):
        said = text[start : border.start()].strip()
        is_topic = said.endswith(("?", "？")) and len(said.split()) <= TOPIC_WORDS_MAX
        if is_topic and not _ASKS_SHORTLY.match(said) and _COMMENTS.match(text, border.end()):
            continue
        if said:
            yield start, border.start()
        start = border.end()
    if text[start:].strip():
        yield start, len(text)


_COMMENTS = re.compile(
    rf"{OWN_SUBJECT}|(?:can(?:'t|not)|cannot|can|love|loved|like|adore|hate|never|always|not|no more|don't|won't|used to|nicht"
    rf"|kein"
    r"|mag|liebe|jamais|plus|adore|déteste|nunca|ya no|no|odio|amo|detesto|mai|niet|nooit|aldrig)\b"
)
"""How a comment on a topic begins: «Coffee? Love it.»."""
_ASKS_SHORTLY = re.compile(
    r"(?:and |so |but )?(?:what|where|when|why|how|which|who|whose|is|are|am|was|were|do|does|did|can|could|will|would|should"
    r"|have|has|any|really|right|correct|ok|okay|yes|no|you|he|she|they|it|that|this|wer|wie|was|wo|wann|warum|qui|que|quoi|où"
    r"|quand|comment|cómo|qué|quién|dónde|cuándo|como|quem|onde|quando|come|chi|che|dove|oder|né|verdad)\b"
)
