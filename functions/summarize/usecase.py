"""Bring the outline of a conversation up to date.

One segment of raw turns after the other, each exactly once.

Write one chapter.

Ask, check every slot, ask once more for what was lost, and keep verbatim what still is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from functions.summarize.prompt import (
    MAX_TOKENS,
    PROMPT_VERSION,
    SummaryDraft,
    prompt_for_chapters,
    prompt_for_turns,
    retry_prompt,
)
from functions.summarize.schemas import SummaryDue
from membus.conversations.conversation import Message
from membus.conversations.ports import ConversationStore, SummaryStore
from membus.conversations.slots import extract_slots, update_ledger
from membus.conversations.summary import (
    CHECKPOINTS_MAX,
    Chapter,
    Slot,
    SlotKind,
    Summary,
    SummaryCheckpoint,
    SummaryIndex,
    SummaryVerification,
)
from membus.conversations.window import message_tokens, needs_summary, next_segment, select_rollup
from membus.core.clock import Clock
from membus.core.errors import BudgetError, ConflictError, ModelError, NotFoundError, UnavailableError
from membus.core.text.normalization import is_blank
from membus.core.tokens import estimate_tokens
from membus.facts.text_checks import is_prompt_injection
from membus.llm.ports import LanguageModel, StructuredAnswer
from membus.llm.prompt import Prompt

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

    def write_from_turns(self, messages: Sequence[Message], known: Sequence[Slot]) -> WrittenChapter:
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

    def write_from_chapters(self, chapters: Sequence[Chapter], slots: Sequence[Slot]) -> WrittenChapter:
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
        drafted = self.model.answer_with_usage(
            prompt, SummaryDraft, max_tokens=MAX_TOKENS, timeout_seconds=seconds
        )
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
    return [slot for slot in slots if not slot.occurs_in(text)]


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


MESSAGES_MAX = 400
"""Read at once: beyond what the longest segment holds, unless messages average below twenty tokens."""
STEPS_MAX = 5
"""Segments of one invocation; what is left is due again with the next turn."""


@dataclass(frozen=True)
class Summarizer:
    """`model` is a function of the tenant who pays."""

    conversations: ConversationStore
    summaries: SummaryStore
    model: Callable[[str], LanguageModel]
    clock: Clock
    seconds_left: Callable[[], float]

    def advance_summary(self, due: SummaryDue) -> int:
        """Return how many versions the outline has advanced.

        None where nothing is due or somebody else was faster.

        Raises:
            UnavailableError, ModelError: the outline stays where it was, and the same message may come again.
        """
        try:
            self.conversations.get_conversation(due.tenant_id, due.conversation_id)
        except NotFoundError:
            return 0
        for step in range(STEPS_MAX):
            read = self.summaries.get_index(due.tenant_id, due.conversation_id)
            said = self.summaries.list_unsummarised(
                due.tenant_id, due.conversation_id, after=read.last_checkpoint.until, limit=MESSAGES_MAX
            )
            part = (
                next_segment(said)
                if needs_summary(tokens=sum(map(message_tokens, said)), messages=len(said))
                else ()
            )
            if not part:
                return step
            try:
                outline, written = self._compact(
                    read, part, ChapterWriter(self.model(due.tenant_id), self.seconds_left)
                )
                self.summaries.save_index(
                    due.tenant_id, due.conversation_id, outline, read=read, summaries=written
                )
            except (ConflictError, BudgetError):
                return step  # without money it is due again with the next turn
        return STEPS_MAX

    def _compact(
        self, read: SummaryIndex, part: Sequence[Message], writer: ChapterWriter
    ) -> tuple[SummaryIndex, list[Summary]]:
        """Return the next outline and the summaries it brings.

        The part's, and those of chapters that it completes.

        Of what is not to be remembered nothing is told; it is covered all the same.
        """
        told = [message for message in part if message.remember]
        border = SummaryCheckpoint(
            version=read.last_checkpoint.version + 1,
            until=part[-1].message_id,
            tokens=read.last_checkpoint.tokens + sum(map(message_tokens, part)),
            messages=read.last_checkpoint.messages + len(part),
        )
        borders = (*read.borders, border)[-CHECKPOINTS_MAX:]
        if not told:
            return read.model_copy(update={"borders": borders, "created_at": self.clock()}), []
        written = writer.write_from_turns(told, read.slots)
        first = self._summary(written, level=0, span=(part[0].message_id, part[-1].message_id), border=border)
        outline = SummaryIndex(
            borders=borders,
            chapters=(*read.chapters, _chapter_of(first)),
            slots=update_ledger(read.slots, written.slots, told),
            created_at=self.clock(),
        )
        return self._rolled_up(outline, [first], writer)

    def _rolled_up(
        self, outline: SummaryIndex, written: list[Summary], writer: ChapterWriter
    ) -> tuple[SummaryIndex, list[Summary]]:
        """Sum up chapters that stand side by side for too long.

        One that fails is tried with the next segment.
        """
        while chapters := select_rollup(outline.chapters):
            first, last = span = chapters[0].first, chapters[-1].last
            slots = [slot for slot in outline.slots if first <= slot.message_id <= last]
            try:
                told = writer.write_from_chapters(chapters, slots)
            except UnavailableError:
                break
            summary = self._summary(
                told, level=chapters[0].level + 1, span=span, border=outline.last_checkpoint
            )
            rest = [chapter for chapter in outline.chapters if chapter not in chapters]
            place = sum(chapter.last < first for chapter in rest)
            joined = (*rest[:place], _chapter_of(summary), *rest[place:])
            outline = outline.model_copy(update={"chapters": joined})
            written = [*written, summary]
        return outline, written

    def _summary(
        self, told: WrittenChapter, *, level: int, span: tuple[str, str], border: SummaryCheckpoint
    ) -> Summary:
        return Summary(
            level=level,
            first=span[0],
            last=span[1],
            text=told.text,
            slots=told.slots,
            verification=told.verification,
            version=border.version,
            model=told.model,
            prompt_version=PROMPT_VERSION,
            created_at=self.clock(),
        )


def _chapter_of(summary: Summary) -> Chapter:
    return Chapter.model_validate(summary.model_dump(include=set(Chapter.model_fields)))
