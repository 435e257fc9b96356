"""Bring the outline of a conversation up to date.

One segment of raw turns after the other, each exactly once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.summarize.api import SummaryDue
from functions.summarize.prompt import PROMPT_VERSION
from functions.summarize.writing import ChapterWriter, WrittenChapter
from membus.domain.compaction import message_tokens, needs_summary, next_segment, select_rollup
from membus.domain.conversation import Message
from membus.domain.slots import update_ledger
from membus.domain.summary import CHECKPOINTS_MAX, Chapter, Summary, SummaryCheckpoint, SummaryIndex
from membus.errors import BudgetError, ConflictError, NotFoundError, UnavailableError
from membus.ports.clock import Clock
from membus.ports.conversations import ConversationStore
from membus.ports.model import LanguageModel
from membus.ports.summaries import SummaryStore

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

    def advance(self, due: SummaryDue) -> int:
        """Return how many versions the outline has advanced.

        None where nothing is due or somebody else was faster.

        Raises:
            UnavailableError, ModelError: the outline stays where it was, and the same message may come again.
        """
        try:
            self.conversations.conversation(due.tenant_id, due.conversation_id)
        except NotFoundError:
            return 0
        for step in range(STEPS_MAX):
            read = self.summaries.outline(due.tenant_id, due.conversation_id)
            said = self.summaries.unsummarised(
                due.tenant_id, due.conversation_id, after=read.border.until, limit=MESSAGES_MAX
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
                self.summaries.advance(
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
            version=read.border.version + 1,
            until=part[-1].message_id,
            tokens=read.border.tokens + sum(map(message_tokens, part)),
            messages=read.border.messages + len(part),
        )
        borders = (*read.borders, border)[-CHECKPOINTS_MAX:]
        if not told:
            return read.model_copy(update={"borders": borders, "created_at": self.clock()}), []
        written = writer.of_turns(told, read.slots)
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
                told = writer.of_chapters(chapters, slots)
            except UnavailableError:
                break
            summary = self._summary(told, level=chapters[0].level + 1, span=span, border=outline.border)
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
