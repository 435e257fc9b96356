"""Write one chapter.

Ask, check every slot, ask once more for what was lost, and keep verbatim what still is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from functions.summarize.prompt import (
    MAX_TOKENS,
    SummaryDraft,
    prompt_for_chapters,
    prompt_for_turns,
    retry_prompt,
)
from membus.domain.conversation import Message
from membus.domain.instructions import is_prompt_injection
from membus.domain.prompt import Prompt
from membus.domain.slots import extract_slots
from membus.domain.summary import Chapter, Slot, SlotKind, SummaryVerification
from membus.domain.tokens import estimate_tokens
from membus.domain.visible import is_blank
from membus.errors import ModelError, UnavailableError
from membus.ports.model import LanguageModel, StructuredAnswer

CHAPTER_TOKENS = 250
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")  # noqa: RUF001 (full stops of Chinese and Japanese)


@dataclass(frozen=True)
class WrittenChapter:
    """A chapter's words, whose they are, the slots they were checked for, and what the check found."""

    text: str
    model: str
    slots: tuple[Slot, ...]
    verification: SummaryVerification


@dataclass(frozen=True)
class ChapterWriter:
    model: LanguageModel
    seconds_left: Callable[[], float]

    def of_turns(self, messages: Sequence[Message], known: Sequence[Slot]) -> WrittenChapter:
        """Write the chapter of raw turns, with the slots they add to those `known`.

        Raises:
            ModelError: refused, cut off or empty: no such summary counts.
            UnavailableError: the model is down or there is no time to ask it.
        """
        prompt = prompt_for_turns(messages, extract_slots(messages, {}, known))
        drafted = self._ask(prompt)
        return self._checked(
            prompt, drafted, tuple(extract_slots(messages, _proposed_slots(drafted.value), known))
        )

    def of_chapters(self, chapters: Sequence[Chapter], slots: Sequence[Slot]) -> WrittenChapter:
        """Write the chapter that tells what `chapters` tell; raises as `of_turns`."""
        prompt = prompt_for_chapters(chapters, slots)
        return self._checked(prompt, self._ask(prompt), tuple(slots))

    def _checked(
        self, prompt: Prompt, drafted: StructuredAnswer[SummaryDraft], slots: tuple[Slot, ...]
    ) -> WrittenChapter:
        text = _fit_chapter(drafted.value.summary)
        lost_first = _missing_slots(slots, text)
        passes, lost = 1, lost_first
        if lost_first and (again := self._again(prompt, text, lost_first)):
            passes = 2
            text, lost = min(
                (text, lost), (again, _missing_slots(slots, again)), key=lambda each: len(each[1])
            )
        found = SummaryVerification(
            slots=len(slots),
            passes=passes,
            lost_first=tuple(slot.text for slot in lost_first),
            appended=tuple(slot.text for slot in lost),
        )
        return WrittenChapter(text, drafted.model, slots, found)

    def _ask(self, prompt: Prompt) -> StructuredAnswer[SummaryDraft]:
        seconds = self.seconds_left()
        if seconds <= 0:
            raise UnavailableError("too little time is left of this invocation to ask the model")
        drafted = self.model.ask(prompt, SummaryDraft, max_tokens=MAX_TOKENS, timeout_seconds=seconds)
        if is_blank(_fit_chapter(drafted.value.summary)):
            raise ModelError("the model's summary is empty", reason="empty")
        return drafted

    def _again(self, prompt: Prompt, text: str, lost: Sequence[Slot]) -> str | None:
        """A second try that fails costs nothing: what the first lost is kept word for word."""
        try:
            return _fit_chapter(self._ask(retry_prompt(prompt, text, lost)).value.summary)
        except UnavailableError:
            return None


def _missing_slots(slots: Sequence[Slot], text: str) -> list[Slot]:
    return [slot for slot in slots if not slot.stands_in(text)]


def _fit_chapter(summary: str) -> str:
    """Return what fits a chapter, sentence by sentence, without those that would steer its reader."""
    kept: list[str] = []
    left = CHAPTER_TOKENS
    for sentence in (
        each for each in _SENTENCE.split(summary.strip()) if each and not is_prompt_injection(each)
    ):
        words = sentence.split()
        while words and estimate_tokens(" ".join(words)) > left:
            words = words[: len(words) * 9 // 10]
        kept.append(" ".join(words))
        left -= estimate_tokens(kept[-1])
    return " ".join(filter(None, kept))


def _proposed_slots(draft: SummaryDraft) -> Mapping[SlotKind, Sequence[str]]:
    return {
        "active_entities": draft.entities,
        "unresolved_intents": draft.intents,
        "key_decisions": draft.decisions,
        "numbers_and_dates": draft.numbers,
    }
