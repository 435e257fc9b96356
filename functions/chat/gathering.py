"""Gather what a prompt is made of, in two waves of reads side by side, however long the history."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from membus.domain.calibration import ratio_or_default
from membus.domain.context import PromptSources
from membus.domain.conversation import Conversation
from membus.domain.entities import EntitySnapshot
from membus.domain.fresh import UnprocessedMessage
from membus.domain.identity import Owner
from membus.domain.profile import Profile
from membus.domain.prompt import ToolDefinition
from membus.domain.recall import RecalledPassage, decide_recall
from membus.domain.window import WINDOW_MESSAGES_MAX, plan_window_start
from membus.errors import UnavailableError
from membus.hot_parts import NoEntityCache
from membus.ports.conversations import ConversationStore
from membus.ports.facts import FactReader
from membus.ports.fresh import UnprocessedMessages
from membus.ports.hot_tier import EntityCache
from membus.ports.recall import MemorySearchClient
from membus.ports.summaries import SummaryReader

PASSAGES_ASKED = 60
"""Asked of a search: more than the recall block holds, for what the window has already gives way."""


@dataclass(frozen=True)
class LoadedContext:
    conversation: Conversation
    sources: PromptSources


@dataclass(frozen=True)
class ContextLoader:
    conversations: ConversationStore
    summaries: SummaryReader
    facts: FactReader
    fresh: UnprocessedMessages
    recollection: MemorySearchClient
    pool: ThreadPoolExecutor
    tools: Sequence[ToolDefinition] = ()
    live: EntityCache = field(default_factory=NoEntityCache)

    def begin(self, owner: Owner, conversation_id: str, message: str) -> "PendingReads":
        """Start every read that needs no other one's answer."""
        return PendingReads(
            gatherer=self,
            owner=owner,
            conversation_id=conversation_id,
            conversation=self.pool.submit(self.conversations.conversation, owner.tenant, conversation_id),
            profile=self.pool.submit(self.facts.profile, owner),
            fresh=self.pool.submit(self.fresh.newest, owner),
            found=self.pool.submit(self._found, owner, message),
            folded=self.pool.submit(self.live.entities, owner.tenant, conversation_id),
        )

    def _found(self, owner: Owner, message: str) -> list[RecalledPassage] | None:
        """Return passages, or None where the search is away: an answer from less is better than none."""
        if not decide_recall(message).search:
            return []
        try:
            return self.recollection.found(owner, message, limit=PASSAGES_ASKED)
        except UnavailableError:
            return None


@dataclass(frozen=True)
class PendingReads:
    """Reads that are under way."""

    gatherer: ContextLoader
    owner: Owner
    conversation_id: str
    conversation: Future[Conversation]
    profile: Future[Profile]
    fresh: Future[list[UnprocessedMessage]]
    found: Future[list[RecalledPassage] | None]
    folded: Future[EntitySnapshot | None]

    def finish(self) -> LoadedContext:
        """Read the window and the outline from where the conversation says they begin, and wait for the rest.

        Raises:
            NotFoundError: there is no such conversation.
            ForbiddenError: `not_a_member`.
        """
        tenant, parts = self.owner.tenant, self.gatherer
        conversation = self.conversation.result()
        conversation.admit(self.owner.user)
        marks = conversation.marks
        cut = plan_window_start(marks, ratio=ratio_or_default(marks.rate))
        messages = parts.pool.submit(
            parts.conversations.recent,
            tenant,
            self.conversation_id,
            limit=WINDOW_MESSAGES_MAX,
            after=cut.after,
        )
        outline = parts.pool.submit(parts.summaries.outline, tenant, self.conversation_id, cut.version)
        found = self.found.result()
        sources = PromptSources(
            conversation_id=self.conversation_id,
            profile=self.profile.result(),
            marks=marks,
            cut=cut,
            outline=outline.result(),
            messages=messages.result(),
            fresh=self.fresh.result(),
            found=found or (),
            tools=parts.tools,
            degraded=found is None,
            folded=self.folded.result(),
        )
        return LoadedContext(conversation, sources)
