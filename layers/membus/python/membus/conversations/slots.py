"""Slots: words that must survive every summary; a model may propose them, code alone admits them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from membus.conversations.conversation import Message
from membus.conversations.entity_types import find_entities
from membus.conversations.summary import Slot, SlotKind
from membus.core.text.normalization import normalize_text
from membus.core.tokens import estimate_tokens
from membus.facts.text_checks import looks_like_instruction

LEDGER_TOKENS = 900
"""Of the 1,500 that summary and slots have in a prompt; what chapters say in their own words has the rest."""
SEGMENT_SLOT_TOKENS: Mapping[SlotKind, int] = {
    "key_decisions": 30,
    "unresolved_intents": 24,
    "numbers_and_dates": 20,
    "active_entities": 16,
}
"""What one segment may add: a tenth of the ledger, so that ten segments lose nothing to one another."""
SLOT_TOKENS_MAX = 24
SUBJECT_CHARACTERS = 12
"""Kept before the words that make a clause a slot: its subject."""

_SENTENCE = re.compile(r"(?<=[.!?…\u3002\uff01\uff1f])[\"')\]]*\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_NAME = re.compile(
    r"(?<=[a-z0-9,] )(?!I\b)[A-Z][\w-]+(?: (?:of |the )?[A-Z][\w-]+){0,3}\b(?!['\u2019](?:m|ve|ll|d|re)\b)"
)
"""Inside a sentence: at its beginning every word has a capital."""
_CODE = re.compile(r"`([^`\n]{2,60})`|(?<![\w/])((?:[\w.-]+/)+[\w.-]+\.\w{1,8})(?!\w)")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAYS = "Mon|Tues|Wednes|Thurs|Fri|Satur|Sun"
_UNIT = (
    r"(?!(?:and|for|the|with|or|in|of|to|on|is|are|was|as|at|by|from|that|but|so|then|if|it|more|other)\b)"
    r"[a-z]{2,12}"
)
_FIGURE = re.compile(
    r"[$€£¥] ?\d[\d,.]*\d?[kKmM]?\b|\b\d[\d,.]* ?(?:%|€|[kKMG]B\b|[ap]m\b)|\b\d{1,2}:\d\d(?: ?[ap]m)?\b"
    rf"|\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})(?:,? \d{{4}})?\b"
    rf"|\b(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b|\b(?:{_MONTHS}),? \d{{4}}\b"
    rf"|\b(?:next |last )?(?:{_DAYS})day\b|(?<![\d.])\b\d[\d,]*(?:\.\d+)? {_UNIT}\b"
)
_DECISION = re.compile(
    r"\b(?:decided|(?:we|i)['\u2019]?(?:ll| will) (?:go with|use|take|keep)"
    r"|let['\u2019]?s (?:go with|use|stick)|go(?:ing|ne)? with|settled on|chose|chosen|agreed|signed up"
    r"|stick(?:ing)? (?:to|with)|opted|entschieden)\b",
    re.IGNORECASE,
)
_INTENT = re.compile(
    r"\b(?:i(?:['\u2019]m| am)? (?:want|need|plan(?:ning)?|have|hope|hoping|going|trying|looking|thinking)"
    r" (?:to|of|about|forward)\b"
    r"|i['\u2019]d (?:like|love) to|remind me to|i(?:['\u2019]m| am) (?:considering|struggling)|i should"
    r"|still (?:need|have) to|to-?do"
    r"|ich (?:möchte|will|muss))\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?:done|finished|fixed|solved|completed|sorted|works now|working now|never ?mind|no longer|resolved"
    r"|cancell?ed|erledigt)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_SHARED_WORDS = 2
_FIGURE_TYPES = frozenset({"date", "money"})


def slot_tokens(slot: Slot) -> int:
    """Return what a slot takes in a prompt, with the mark that parts it from the next."""
    return estimate_tokens(slot.text) + 1


def extract_slots(
    messages: Sequence[Message], proposed: Mapping[SlotKind, Sequence[str]], known: Iterable[Slot]
) -> list[Slot]:
    """Return the slots a segment adds, the best of each kind within its share and what the kinds before left.

    Proposals count where their words were said in the segment. Nothing counts that addresses its reader, and
    nothing that the ledger holds already.
    """
    seen = {normalize_text(slot.text) for slot in known}
    admitted: list[Slot] = []
    left = 0
    for kind, share in SEGMENT_SLOT_TOKENS.items():
        left += share
        candidates = _find_candidates(kind, messages)
        for slot in (*candidates, *_match_proposals(kind, messages, proposed.get(kind, ()))):
            cost, text = slot_tokens(slot), normalize_text(slot.text)
            if text in seen or cost > min(left, SLOT_TOKENS_MAX) or looks_like_instruction(slot.text):
                continue
            if not any(slot.occurs_in(other.text) for other in admitted):
                seen.add(text)
                admitted.append(slot)
                left -= cost
    return admitted


def update_ledger(
    known: Sequence[Slot], new: Sequence[Slot], messages: Sequence[Message]
) -> tuple[Slot, ...]:
    """Return the ledger after a segment: without the intents that were carried out, and within its size.

    The oldest give way: entities first, then numbers and dates, then intents; decisions last.
    """
    every = (*known, *new)
    kept = [each for each in every if each.kind != "unresolved_intents" or not is_carried_out(each, messages)]
    over = sum(map(slot_tokens, kept)) - LEDGER_TOKENS
    for kind in reversed(tuple(SEGMENT_SLOT_TOKENS)):
        for slot in [slot for slot in kept if slot.kind == kind]:
            if over <= 0:
                return tuple(kept)
            kept.remove(slot)
            over -= slot_tokens(slot)
    return tuple(kept)


def _find_candidates(kind: SlotKind, messages: Sequence[Message]) -> list[Slot]:
    """Return candidates, the best first: the user's before the assistant's, the frequent, the newest."""
    role = {message.message_id: message.role for message in messages}
    found = [
        Slot(kind=kind, text=text, message_id=message.message_id)
        for message in reversed(messages)
        for text in _FINDERS[kind](message)
    ]
    counted = found if kind == "active_entities" else ()
    often = Counter(normalize_text(slot.text) for slot in counted)
    return sorted(
        found, key=lambda slot: (role[slot.message_id] != "user", -often[normalize_text(slot.text)])
    )


def _match_proposals(kind: SlotKind, messages: Sequence[Message], proposed: Sequence[str]) -> Iterator[Slot]:
    for text in proposed:
        words = " ".join(text.split())
        for message in messages if words else ():
            slot = Slot(kind=kind, text=words, message_id=message.message_id)
            if slot.occurs_in(message.content):
                yield slot
                break


def _find_decisions(message: Message) -> Iterator[str]:
    return (_clause(sentence, found.start()) for sentence, found in _matching(_DECISION, message))


def _find_intents(message: Message) -> Iterator[str]:
    """An intent is the user's own; a question is none: it was answered."""
    matching = _matching(_INTENT, message) if message.role == "user" else ()
    return (_clause(sentence, found.start()) for sentence, found in matching if not sentence.endswith("?"))


def _find_figures(message: Message) -> Iterator[str]:
    return (found[0].rstrip(",. ") for found in _FIGURE.finditer(message.content))


def _find_named(message: Message) -> Iterator[str]:
    text = message.content
    yield from (text[each.start : each.end] for each in find_entities(text) if each.type not in _FIGURE_TYPES)
    yield from (found[1] or found[2] for found in _CODE.finditer(text))
    yield from (found[0] for found in _NAME.finditer(text))


_FINDERS: Mapping[SlotKind, Callable[[Message], Iterator[str]]] = {
    "key_decisions": _find_decisions,
    "unresolved_intents": _find_intents,
    "numbers_and_dates": _find_figures,
    "active_entities": _find_named,
}


def _matching(pattern: re.Pattern[str], message: Message) -> Iterator[tuple[str, re.Match[str]]]:
    for sentence in filter(None, map(str.strip, filter(None, _SENTENCE.split(message.content)))):
        if found := pattern.search(sentence):
            yield sentence, found


def _clause(sentence: str, start: int) -> str:
    """Return the sentence, or from where it matters as much of it as a slot may take, cut between words."""
    if estimate_tokens(sentence) < SLOT_TOKENS_MAX:
        return sentence
    begin = sentence.rfind(" ", 0, max(0, start - SUBJECT_CHARACTERS)) + 1
    words = sentence[begin:].split()
    while words and estimate_tokens(" ".join(words)) >= SLOT_TOKENS_MAX:
        words.pop()
    return " ".join(words)


def is_carried_out(intent: Slot, messages: Sequence[Message]) -> bool:
    """Whether the user said later that it is done, in words that name it."""
    wanted = _long_words(intent.text)
    later = (each for each in messages if each.role == "user" and each.message_id > intent.message_id)
    return any(
        _DONE.search(each.content)
        and len(wanted & _long_words(each.content)) >= min(_SHARED_WORDS, len(wanted))
        for each in later
    )


def _long_words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
