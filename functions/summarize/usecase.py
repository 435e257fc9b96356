"""Summaries: an old segment of a conversation becomes a chapter, each segment exactly once.

A chapter is checked for every slot it has to keep; a lost one is asked for once more, then appended verbatim.
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
    """A chapter's text, its model, the slots that it was checked for, and the result of the check."""

    text: str
    model: str
    slots: tuple[Slot, ...]
    verification: SummaryVerification


@dataclass(frozen=True)
class ChapterWriter:
    model: LanguageModel
    seconds_left: Callable[[], float]

    def write_from_turns(self, messages: Sequence[Message], known: Sequence[Slot]) -> WrittenChapter:
        """Write the chapter of raw turns, with the slots that they add to the `known` ones.

        Raises:
            ModelError: the answer is refused, cut off or empty.
            UnavailableError: the model is down, or no time is left to ask it.
        """
        prompt = prompt_for_turns(messages, extract_slots(messages, {}, known))
        draft = self._ask(prompt)
        slots = extract_slots(messages, _proposed_slots(draft.value), known)
        return self._check_slots(prompt, draft, tuple(slots))

    def write_from_chapters(self, chapters: Sequence[Chapter], slots: Sequence[Slot]) -> WrittenChapter:
        """Write the chapter that sums up other chapters; raises as `write_from_turns` does."""
        prompt = prompt_for_chapters(chapters, slots)
        return self._check_slots(prompt, self._ask(prompt), tuple(slots))

    def _check_slots(
        self, prompt: Prompt, draft: StructuredAnswer[SummaryDraft], slots: tuple[Slot, ...]
    ) -> WrittenChapter:
        text = _fit_chapter(draft.value.summary)
        lost_first = lost = _missing_slots(slots, text)
        second = self._ask_again(prompt, text, lost) if lost else None
        if second:
            text = min(text, second, key=lambda each: len(_missing_slots(slots, each)))
            lost = _missing_slots(slots, text)
        verification = SummaryVerification(
            slots=len(slots),
            passes=2 if second else 1,
            lost_first=tuple(slot.text for slot in lost_first),
            appended=tuple(slot.text for slot in lost),
        )
        return WrittenChapter(text, draft.model, slots, verification)

    def _ask(self, prompt: Prompt) -> StructuredAnswer[SummaryDraft]:
        seconds = self.seconds_left()
        if seconds <= 0:
            raise UnavailableError("too little time is left of this invocation to ask the model")
        draft = self.model.answer(prompt, SummaryDraft, max_tokens=MAX_TOKENS, timeout_seconds=seconds)
        if is_blank(_fit_chapter(draft.value.summary)):
            raise ModelError("the model's summary is empty", reason="empty")
        return draft

    def _ask_again(self, prompt: Prompt, text: str, lost: Sequence[Slot]) -> str | None:
        """A second try that fails costs nothing: slots that the first lost are appended."""
        try:
            return _fit_chapter(self._ask(retry_prompt(prompt, text, lost)).value.summary)
        except UnavailableError:
            return None


def _missing_slots(slots: Sequence[Slot], text: str) -> list[Slot]:
    return [slot for slot in slots if not slot.occurs_in(text)]


def _fit_chapter(summary: str) -> str:
    """Return the sentences that fit a chapter, without those that try to steer a model."""
    kept: list[str] = []
    tokens_left = CHAPTER_TOKENS
    for sentence in filter(None, _SENTENCE.split(summary.strip())):
        if is_prompt_injection(sentence):
            continue
        words = sentence.split()
        while words and estimate_tokens(" ".join(words)) > tokens_left:
            words = words[: len(words) * 9 // 10]
        kept.append(" ".join(words))
        tokens_left -= estimate_tokens(kept[-1])
    return " ".join(filter(None, kept))


def _proposed_slots(draft: SummaryDraft) -> Mapping[SlotKind, Sequence[str]]:
    return {
        "active_entities": draft.entities,
        "unresolved_intents": draft.intents,
        "key_decisions": draft.decisions,
        "numbers_and_dates": draft.numbers,
    }


MESSAGES_MAX = 400
"""Messages of one read: more than the longest segment has, unless they average below twenty tokens."""
STEPS_MAX = 5
"""Segments of one invocation; the rest is due again with the next turn."""


@dataclass(frozen=True)
class Summarizer:
    """`model` is a function of the tenant who pays."""

    conversations: ConversationStore
    summaries: SummaryStore
    model: Callable[[str], LanguageModel]
    clock: Clock
    seconds_left: Callable[[], float]

    def advance_summary(self, due: SummaryDue) -> int:
        """Return by how many versions the summary index has advanced, 0 where another writer was faster.

        Raises:
            UnavailableError, ModelError: the index stays as it was, and the same message may come again.
        """
        try:
            self.conversations.get_conversation(due.tenant_id, due.conversation_id)
        except NotFoundError:
            return 0
        for step in range(STEPS_MAX):
            read = self.summaries.get_index(due.tenant_id, due.conversation_id)
            messages = self.summaries.list_unsummarised(
                due.tenant_id, due.conversation_id, after=read.last_checkpoint.until, limit=MESSAGES_MAX
            )
            is_due = needs_summary(tokens=sum(map(message_tokens, messages)), messages=len(messages))
            segment = next_segment(messages) if is_due else ()
            if not segment:
                return step
            try:
                writer = ChapterWriter(self.model(due.tenant_id), self.seconds_left)
                index, summaries = self._summarize_segment(read, segment, writer)
                self.summaries.save_index(
                    due.tenant_id, due.conversation_id, index, read=read, summaries=summaries
                )
            except (ConflictError, BudgetError):
                return step  # without money it is due again with the next turn
        return STEPS_MAX

    def _summarize_segment(
        self, read: SummaryIndex, segment: Sequence[Message], writer: ChapterWriter
    ) -> tuple[SummaryIndex, list[Summary]]:
        """Return the next summary index, and the summaries of the segment and of chapters that it completes.

        Messages that are not to be remembered are left out of the summary; the checkpoint covers them.
        """
        remembered = [message for message in segment if message.remember and message.status != "refused"]
        checkpoint = SummaryCheckpoint(
            version=read.last_checkpoint.version + 1,
            until=segment[-1].message_id,
            tokens=read.last_checkpoint.tokens + sum(map(message_tokens, segment)),
            messages=read.last_checkpoint.messages + len(segment),
        )
        checkpoints = (*read.borders, checkpoint)[-CHECKPOINTS_MAX:]
        if not remembered:
            return read.model_copy(update={"borders": checkpoints, "created_at": self.clock()}), []
        chapter = writer.write_from_turns(remembered, read.slots)
        span = segment[0].message_id, segment[-1].message_id
        summary = self._summary(chapter, level=0, span=span, checkpoint=checkpoint)
        index = SummaryIndex(
            borders=checkpoints,
            chapters=(*read.chapters, _chapter_of(summary)),
            slots=update_ledger(read.slots, chapter.slots, remembered),
            created_at=self.clock(),
        )
        return self._roll_up(index, [summary], writer)

    def _roll_up(
        self, index: SummaryIndex, summaries: list[Summary], writer: ChapterWriter
    ) -> tuple[SummaryIndex, list[Summary]]:
        """Sum up neighbouring chapters of one level; one that fails is tried again with the next segment."""
        while chapters := select_rollup(index.chapters):
            first, last = span = chapters[0].first, chapters[-1].last
            slots = [slot for slot in index.slots if first <= slot.message_id <= last]
            try:
                chapter = writer.write_from_chapters(chapters, slots)
            except UnavailableError:
                break
            level = chapters[0].level + 1
            summary = self._summary(chapter, level=level, span=span, checkpoint=index.last_checkpoint)
            rest = [each for each in index.chapters if each not in chapters]
            place = sum(each.last < first for each in rest)
            joined = (*rest[:place], _chapter_of(summary), *rest[place:])
            index = index.model_copy(update={"chapters": joined})
            summaries = [*summaries, summary]
        return index, summaries

    def _summary(
        self, chapter: WrittenChapter, *, level: int, span: tuple[str, str], checkpoint: SummaryCheckpoint
    ) -> Summary:
        return Summary(
            level=level,
            first=span[0],
            last=span[1],
            text=chapter.text,
            slots=chapter.slots,
            verification=chapter.verification,
            version=checkpoint.version,
            model=chapter.model,
            prompt_version=PROMPT_VERSION,
            created_at=self.clock(),
        )


def _chapter_of(summary: Summary) -> Chapter:
    return Chapter.model_validate(summary.model_dump(include=set(Chapter.model_fields)))
