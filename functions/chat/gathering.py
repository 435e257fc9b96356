"""Gather what a prompt is made of, in two waves of reads side by side, however long the history."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from membus.domain.calibration import ratio_of
from membus.domain.context import Sources
from membus.domain.conversation import Conversation
from membus.domain.entities import Folded
from membus.domain.fresh import Fresh
from membus.domain.identity import Owner
from membus.domain.profile import Profile
from membus.domain.prompt import Tool
from membus.domain.recall import Recalled, need_of
from membus.domain.window import MESSAGES_MAX, planned_cut
from membus.errors import UnavailableError
from membus.hot_parts import NoTier
from membus.ports.conversations import ConversationStore
from membus.ports.facts import FactReader
from membus.ports.fresh import FreshWords
from membus.ports.hot_tier import LiveEntities
from membus.ports.recall import Recollection
from membus.ports.summaries import OutlineReader

PASSAGES = 60
"""Asked of a search: more than the recall block holds, for what the window has already gives way."""


@dataclass(frozen=True)
class Gathered:
    conversation: Conversation
    sources: Sources


@dataclass(frozen=True)
class Gatherer:
    conversations: ConversationStore
    summaries: OutlineReader
    facts: FactReader
    fresh: FreshWords
    recollection: Recollection
    pool: ThreadPoolExecutor
    tools: Sequence[Tool] = ()
    live: LiveEntities = field(default_factory=NoTier)

    def begin(self, owner: Owner, conversation_id: str, message: str) -> "Gathering":
        """Start every read that needs no other one's answer."""
        return Gathering(
            gatherer=self,
            owner=owner,
            conversation_id=conversation_id,
            conversation=self.pool.submit(self.conversations.conversation, owner.tenant, conversation_id),
            profile=self.pool.submit(self.facts.profile, owner),
            fresh=self.pool.submit(self.fresh.newest, owner),
            found=self.pool.submit(self._found, owner, message),
            folded=self.pool.submit(self.live.entities, owner.tenant, conversation_id),
        )

    def _found(self, owner: Owner, message: str) -> list[Recalled] | None:
        """Return passages, or None where the search is away: an answer from less is better than none."""
        if not need_of(message).search:
            return []
        try:
            return self.recollection.found(owner, message, limit=PASSAGES)
        except UnavailableError:
            return None


@dataclass(frozen=True)
class Gathering:
    """Reads that are under way."""

    gatherer: Gatherer
    owner: Owner
    conversation_id: str
    conversation: Future[Conversation]
    profile: Future[Profile]
    fresh: Future[list[Fresh]]
    found: Future[list[Recalled] | None]
    folded: Future[Folded | None]

    def finish(self) -> Gathered:
        """Read the window and the outline from where the conversation says they begin, and wait for the rest.

        Raises:
            NotFoundError: there is no such conversation.
            ForbiddenError: `not_a_member`.
        """
        tenant, parts = self.owner.tenant, self.gatherer
        conversation = self.conversation.result()
        conversation.admit(self.owner.user)
        marks = conversation.marks
        cut = planned_cut(marks, ratio=ratio_of(marks.rate))
        messages = parts.pool.submit(
            parts.conversations.recent, tenant, self.conversation_id, limit=MESSAGES_MAX, after=cut.after
        )
        outline = parts.pool.submit(parts.summaries.outline, tenant, self.conversation_id, cut.version)
        found = self.found.result()
        sources = Sources(
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
        return Gathered(conversation, sources)
