"""Summaries of a conversation: chapters by level, the slots that none may lose, and how far they reach."""

from typing import Literal

from pydantic import AwareDatetime

from membus.core.identity import Id, Record
from membus.core.text.normalization import normalize_text

CHECKPOINTS_MAX = 8
"""A window of 8,000 tokens holds fewer checkpoints, unless turns come to less than fifty tokens."""
SlotKind = Literal["active_entities", "unresolved_intents", "key_decisions", "numbers_and_dates"]


class Slot(Record):
    """Words of the conversation that have to survive, as they were said in `message_id`."""

    kind: SlotKind
    text: str
    message_id: Id

    def occurs_in(self, text: str) -> bool:
        """Whether the words occur in `text`, in any case and spacing, not inside a longer word or number."""
        return _contains_words(normalize_text(text), normalize_text(self.text))


class Chapter(Record):
    """What was said from message `first` to `last`; level 0 sums up turns, each next level chapters."""

    level: int
    first: Id
    last: Id
    text: str


class SummaryVerification(Record):
    """The check of a summary: slots its first pass lost, and those appended verbatim to its text."""

    slots: int
    passes: int
    lost_first: tuple[str, ...] = ()
    appended: tuple[str, ...] = ()


class Summary(Chapter):
    """A chapter as it was written: its slots, what became of them, and who wrote it for which version."""

    slots: tuple[Slot, ...]
    verification: SummaryVerification
    version: int
    model: str
    prompt_version: str
    created_at: AwareDatetime

    @property
    def full_text(self) -> str:
        """The text with the slots it had lost behind it."""
        if not self.verification.appended:
            return self.text
        return f"{self.text}\nWord for word: {'; '.join(self.verification.appended)}"


class SummaryCheckpoint(Record):
    """Where a version of the summary index ends: after message `until`, with so much before it."""

    version: int = 0
    until: Id | None = None
    tokens: int = 0
    messages: int = 0


class SummaryIndex(Record):
    """The chapters that no other sums up yet, and the ledger of slots: all that was said up to a checkpoint.

    `borders` are the checkpoints of the newest versions, its own last. Each version is kept as it was: a
    prompt that showed it can be made again.
    """

    borders: tuple[SummaryCheckpoint, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    slots: tuple[Slot, ...] = ()
    created_at: AwareDatetime | None = None

    @property
    def last_checkpoint(self) -> SummaryCheckpoint:
        return self.borders[-1] if self.borders else SummaryCheckpoint()


def _contains_words(text: str, words: str) -> bool:
    place = text.find(words)
    while place >= 0:
        end = place + len(words)
        if not (_is_one_word(text[:place][-1:], words[:1]) or _is_one_word(words[-1:], text[end : end + 1])):
            return True
        place = text.find(words, place + 1)
    return False


def _is_one_word(before: str, after: str) -> bool:
    """Whether two neighbours belong to one word; scripts without spaces join nothing."""
    return before.isascii() and after.isascii() and before.isalnum() and after.isalnum()
