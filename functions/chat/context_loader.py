"""Gather what a prompt is made of, in two waves of reads side by side, however long the history.

Make the prompt of an old reply again from what it was made of, and say whether it is the same byte for byte.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import BaseModel

from functions.chat.context import (
    PROMPT_VERSION,
    PromptContext,
    PromptSources,
    assemble_context,
    prompt_fingerprint,
)
from membus.conversations.cache import NoEntityCache
from membus.conversations.conversation import Conversation, ConversationCounters, Message
from membus.conversations.entities import EntitySnapshot
from membus.conversations.ports import ConversationStore, EntityCache, SummaryReader, UnprocessedMessages
from membus.conversations.provenance import FactRef, PromptProvenance, RecallRef, UnprocessedRef, text_digest
from membus.conversations.recall import RecalledPassage, decide_recall
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.conversations.window import WINDOW_MESSAGES_MAX, plan_window_start, ratio_or_default
from membus.core.errors import NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.erasure.guard import ErasureGuard
from membus.facts.fact import Fact, fold
from membus.facts.ports import FactReader
from membus.facts.profile import Profile
from membus.llm.prompt import ToolDefinition
from membus.search.ports import MemorySearchClient

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

    def start_reads(self, owner: Owner, conversation_id: str, message: str) -> "PendingReads":
        """Start every read that needs no other one's answer."""
        return PendingReads(
            gatherer=self,
            owner=owner,
            conversation_id=conversation_id,
            conversation=self.pool.submit(self.conversations.get_conversation, owner.tenant, conversation_id),
            profile=self.pool.submit(self.facts.get_profile, owner),
            fresh=self.pool.submit(self.fresh.list_newest, owner),
            found=self.pool.submit(self._found, owner, message),
            folded=self.pool.submit(self.live.get_entities, owner.tenant, conversation_id),
        )

    def _found(self, owner: Owner, message: str) -> list[RecalledPassage] | None:
        """Return passages, or None where the search is away: an answer from less is better than none."""
        if not decide_recall(message).search:
            return []
        try:
            return self.recollection.search(owner, message, limit=PASSAGES_ASKED)
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

    def wait_for_context(self) -> LoadedContext:
        """Read the window and the outline from where the conversation says they begin, and wait for the rest.

        Raises:
            NotFoundError: there is no such conversation.
            ForbiddenError: `not_a_member`.
        """
        tenant, parts = self.owner.tenant, self.gatherer
        conversation = self.conversation.result()
        conversation.require_member(self.owner.user)
        marks = conversation.marks
        cut = plan_window_start(marks, ratio=ratio_or_default(marks.rate))
        messages = parts.pool.submit(
            parts.conversations.list_recent_messages,
            tenant,
            self.conversation_id,
            limit=WINDOW_MESSAGES_MAX,
            after=cut.after,
        )
        outline = parts.pool.submit(parts.summaries.get_index, tenant, self.conversation_id, cut.version)
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


class ReproducedPrompt(BaseModel):
    """`identical` says that `context.prompt` has the bytes that were sent: its fingerprint is the stored one.

    Where it has not, `missing` names what has been erased or changed since, as far as anything still tells.
    """

    identical: bool
    missing: list[str]
    provenance: PromptProvenance
    context: PromptContext


@dataclass(frozen=True)
class PromptReproduction:
    gatherer: ContextLoader
    gate: ErasureGuard
    missing: list[str] = field(default_factory=list)

    def reproduce_prompt(self, tenant: str, conversation_id: str, message_id: str) -> ReproducedPrompt:
        """Raises NotFoundError where nothing is known of the message's prompt, or the message itself is gone."""
        conversations = self.gatherer.conversations
        self.gate.load_conversation(tenant, conversation_id, conversations)
        made = conversations.get_provenance(tenant, conversation_id, message_id)
        asked = conversations.get_message(tenant, conversation_id, made.user_message_id)
        context = assemble_context(self._sources(tenant, conversation_id, made), asked.content, made.at)
        identical = prompt_fingerprint(context.prompt) == made.prompt_hash
        if not identical and made.prompt_version != PROMPT_VERSION:
            self.missing.append(f"prompt version {made.prompt_version}")
        return ReproducedPrompt(identical=identical, missing=self.missing, provenance=made, context=context)

    def _sources(self, tenant: str, conversation_id: str, made: PromptProvenance) -> PromptSources:
        parts, owner = self.gatherer, Owner(tenant=tenant, user=made.author)
        outline = parts.summaries.get_index(tenant, conversation_id, made.cut.version)
        if outline.last_checkpoint.version != made.outline_version:
            self.missing.append(f"summary version {made.outline_version}")
        facts = parts.pool.map(lambda each: self._fact(owner, each), made.facts)
        return PromptSources(
            conversation_id=conversation_id,
            profile=Profile(owner=owner, facts=tuple(filter(None, facts))),
            marks=ConversationCounters(cut=made.cut, rate=made.rate),
            cut=made.cut,
            outline=outline,
            messages=self._window(tenant, conversation_id, made),
            fresh=list(self._fresh(tenant, made.fresh)),
            found=list(self._recalled(tenant, made.recalled)),
            tools=parts.tools,
        )

    def _fact(self, owner: Owner, named: FactRef) -> Fact | None:
        """Return the fact as its first so many observations made it."""
        observed = self.gatherer.facts.list_observations(owner, named.key)
        fact = fold(
            sorted(observed, key=lambda seen: (seen.learned_at, seen.provenance.event_id))[: named.version]
        )
        if fact is None or fact.version != named.version:
            self.missing.append(f"fact {named.key} version {named.version}")
        return fact

    def _window(self, tenant: str, conversation_id: str, made: PromptProvenance) -> list[Message]:
        if made.window_first is None or made.window_last is None:
            return []
        behind = self.gatherer.summaries.list_unsummarised(
            tenant, conversation_id, after=made.cut.after, limit=WINDOW_MESSAGES_MAX
        )
        window = [each for each in behind if made.window_first <= each.message_id <= made.window_last]
        if len(window) != made.window_messages:
            self.missing.append(f"messages {made.window_first} to {made.window_last}")
        return window

    def _fresh(self, tenant: str, named: tuple[UnprocessedRef, ...]) -> Iterator[UnprocessedMessage]:
        for each in named:
            if each.conversation_id is None:
                self.missing.append(f"words of event {each.event_id}")
                continue
            message_id = each.event_id.removeprefix("turn-")
            try:
                said = self.gatherer.conversations.get_message(tenant, each.conversation_id, message_id)
            except NotFoundError:
                self.missing.append(f"message {message_id} of conversation {each.conversation_id}")
            else:
                yield UnprocessedMessage(
                    event_id=each.event_id,
                    conversation_id=each.conversation_id,
                    text=said.content,
                    said_at=said.created_at,
                )

    def _recalled(self, tenant: str, named: tuple[RecallRef, ...]) -> Iterator[RecalledPassage]:
        texts = (
            self.gatherer.recollection.get_passages(tenant, [each.memory_id for each in named])
            if named
            else {}
        )
        for each in named:
            text = next(
                (text for text in texts.get(each.memory_id, []) if text_digest(text) == each.digest), None
            )
            if text is None:
                self.missing.append(f"passage of {each.memory_id}")
            else:
                yield RecalledPassage(**each.model_dump(exclude={"digest"}), text=text)
