"""What a prompt is made of, read for a new message, or again for an old reply."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from functions.chat.context import (
    PROMPT_VERSION,
    PromptContext,
    PromptSources,
    assemble_context,
    prompt_fingerprint,
)
from membus.conversations.cache import NoEntityCache
from membus.conversations.conversation import (
    TURN_EVENT_PREFIX,
    Conversation,
    ConversationCounters,
    Message,
    WindowStart,
)
from membus.conversations.entities import EntitySnapshot
from membus.conversations.ports import ConversationStore, EntityCache, SummaryReader, UnprocessedMessages
from membus.conversations.provenance import FactRef, PromptProvenance, RecallRef, UnprocessedRef, text_digest
from membus.conversations.recall import RecalledPassage, decide_recall
from membus.conversations.summary import SummaryIndex
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.conversations.window import WINDOW_MESSAGES_MAX, plan_window_start, ratio_or_default
from membus.core.errors import NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.facts.fact import Fact, fold
from membus.facts.ports import FactReader
from membus.facts.profile import Profile
from membus.llm.prompt import ToolDefinition
from membus.search.ports import MemorySearchClient
from membus.tenants.settings import NoSettings, SettingsReader

PASSAGES_ASKED = 60
"""Asked of a search: more than the recall block takes, for passages of the window itself are left out."""


@dataclass(frozen=True)
class ContextLoader:
    """Reads what a prompt is made of, in two waves of reads side by side, however long the history."""

    conversations: ConversationStore
    summaries: SummaryReader
    facts: FactReader
    unprocessed: UnprocessedMessages
    search: MemorySearchClient
    pool: ThreadPoolExecutor
    tools: Sequence[ToolDefinition] = ()
    entities: EntityCache = field(default_factory=NoEntityCache)
    settings: SettingsReader = field(default_factory=NoSettings)

    def start_reads(self, owner: Owner, conversation_id: str, message: str) -> "FirstReads":
        """Start every read that needs no other one's answer."""
        submit = self.pool.submit
        conversation = submit(self.conversations.get_conversation, owner.tenant, conversation_id)
        return FirstReads(
            loader=self,
            owner=owner,
            conversation=conversation,
            profile=submit(self.facts.get_profile, owner),
            unprocessed=submit(self.unprocessed.list_newest, owner),
            passages=submit(self._search, owner, message, conversation),
            entities=submit(self.entities.get_entities, owner.tenant, conversation_id),
        )

    def _search(
        self, owner: Owner, message: str, conversation: Future[Conversation]
    ) -> list[RecalledPassage] | None:
        """Return passages, or None where the search is away: an answer from less is better than none.

        It waits for the conversation alone, whose agent decides what may be recalled.
        """
        if not decide_recall(message).search or conversation.exception():
            return []
        try:
            agent = conversation.result().agent_id
            return self.search.search(owner, message, agent=agent, limit=PASSAGES_ASKED)
        except UnavailableError:
            return None


@dataclass(frozen=True)
class FirstReads:
    """The first wave, under way."""

    loader: ContextLoader
    owner: Owner
    conversation: Future[Conversation]
    profile: Future[Profile]
    unprocessed: Future[list[UnprocessedMessage]]
    passages: Future[list[RecalledPassage] | None]
    entities: Future[EntitySnapshot | None]

    def wait_for_conversation(self) -> Conversation:
        """Return the conversation.

        Raises:
            NotFoundError: there is no such conversation.
            ForbiddenError: `not_a_member`.
        """
        conversation = self.conversation.result()
        conversation.require_member(self.owner.user)
        return conversation

    def start_second_reads(self, conversation: Conversation) -> "SecondReads":
        """Start reading the window and the summary index from where the conversation says they begin."""
        loader, tenant = self.loader, conversation.tenant_id
        cut = plan_window_start(conversation.counters, ratio=ratio_or_default(conversation.counters.rate))
        return SecondReads(
            first=self,
            conversation=conversation,
            cut=cut,
            messages=loader.pool.submit(
                loader.conversations.list_recent_messages,
                tenant,
                conversation.conversation_id,
                limit=WINDOW_MESSAGES_MAX,
                after=cut.after,
            ),
            index=loader.pool.submit(
                loader.summaries.get_index, tenant, conversation.conversation_id, cut.version
            ),
        )


@dataclass(frozen=True)
class SecondReads:
    """Both waves, under way."""

    first: FirstReads
    conversation: Conversation
    cut: WindowStart
    messages: Future[list[Message]]
    index: Future[SummaryIndex]

    def wait_for_sources(self) -> PromptSources:
        passages = self.first.passages.result()
        return PromptSources(
            conversation_id=self.conversation.conversation_id,
            profile=self.first.profile.result(),
            counters=self.conversation.counters,
            cut=self.cut,
            summary_index=self.index.result(),
            messages=self.messages.result(),
            unprocessed=self._visible_words(),
            passages=passages or (),
            tools=self.first.loader.tools,
            degraded=passages is None,
            entities=self.first.entities.result(),
        )

    def _visible_words(self) -> list[UnprocessedMessage]:
        """Return what was just said elsewhere, without what was said to other agents unless they share."""
        said, agent = self.first.unprocessed.result(), self.conversation.agent_id
        shared = self.first.loader.settings.get_settings(self.conversation.tenant_id).settings.shares_agents
        return [each for each in said if shared or each.is_visible_to(agent)]


def preview_context(
    loader: ContextLoader, conversation: Conversation, message: str, *, author: str | None, now: datetime
) -> PromptContext:
    """Return exactly what the message would send, without sending it."""
    owner = Owner(tenant=conversation.tenant_id, user=author or conversation.user_id)
    reads = loader.start_reads(owner, conversation.conversation_id, message)
    sources = reads.start_second_reads(reads.wait_for_conversation()).wait_for_sources()
    return assemble_context(sources, message, now)


class ReproducedPrompt(BaseModel):
    """`identical` says that `context.prompt` has the bytes that were sent: its fingerprint is the stored one.

    Where it has not, `missing` names what has been erased or changed since, as far as it is known.
    """

    identical: bool
    missing: list[str]
    provenance: PromptProvenance
    context: PromptContext


@dataclass(frozen=True)
class PromptReproduction:
    """The prompts of one conversation's old replies, each made again from what it was made of."""

    loader: ContextLoader
    tenant: str
    conversation_id: str
    missing: list[str] = field(default_factory=list)

    def reproduce_prompt(self, message_id: str) -> ReproducedPrompt:
        """Raises NotFoundError where the message is gone, or nothing is known of its prompt."""
        conversations, where = self.loader.conversations, (self.tenant, self.conversation_id)
        made = conversations.get_provenance(*where, message_id)
        asked = conversations.get_message(*where, made.user_message_id)
        context = assemble_context(self._load_sources(made), asked.content, made.at)
        identical = prompt_fingerprint(context.prompt) == made.prompt_hash
        if not identical and made.prompt_version != PROMPT_VERSION:
            self.missing.append(f"prompt version {made.prompt_version}")
        return ReproducedPrompt(identical=identical, missing=self.missing, provenance=made, context=context)

    def _load_sources(self, made: PromptProvenance) -> PromptSources:
        loader, owner = self.loader, Owner(tenant=self.tenant, user=made.author)
        index = loader.summaries.get_index(self.tenant, self.conversation_id, made.cut.version)
        if index.last_checkpoint.version != made.outline_version:
            self.missing.append(f"summary version {made.outline_version}")
        facts = loader.pool.map(lambda ref: self._load_fact(owner, ref), made.facts)
        return PromptSources(
            conversation_id=self.conversation_id,
            profile=Profile(owner=owner, facts=tuple(filter(None, facts))),
            counters=ConversationCounters(cut=made.cut, rate=made.rate),
            cut=made.cut,
            summary_index=index,
            messages=self._load_window(made),
            unprocessed=list(self._load_unprocessed(made.fresh)),
            passages=list(self._load_passages(made.recalled)),
            tools=loader.tools,
        )

    def _load_fact(self, owner: Owner, ref: FactRef) -> Fact | None:
        """Return the fact as its first so many observations made it."""
        observed = self.loader.facts.list_observations(owner, ref.key)
        in_order = sorted(observed, key=lambda each: (each.learned_at, each.provenance.event_id))
        fact = fold(in_order[: ref.version])
        if fact is None or fact.version != ref.version:
            self.missing.append(f"fact {ref.key} version {ref.version}")
        return fact

    def _load_window(self, made: PromptProvenance) -> list[Message]:
        if made.window_first is None or made.window_last is None:
            return []
        behind = self.loader.summaries.list_unsummarised(
            self.tenant, self.conversation_id, after=made.cut.after, limit=WINDOW_MESSAGES_MAX
        )
        window = [
            each
            for each in behind
            if made.window_first <= each.message_id <= made.window_last and each.status != "refused"
        ]
        if len(window) != made.window_messages:
            self.missing.append(f"messages {made.window_first} to {made.window_last}")
        return window

    def _load_unprocessed(self, refs: tuple[UnprocessedRef, ...]) -> Iterator[UnprocessedMessage]:
        for ref in refs:
            if ref.conversation_id is None:
                self.missing.append(f"words of event {ref.event_id}")
                continue
            message_id = ref.event_id.removeprefix(TURN_EVENT_PREFIX)
            try:
                message = self.loader.conversations.get_message(self.tenant, ref.conversation_id, message_id)
            except NotFoundError:
                self.missing.append(f"message {message_id} of conversation {ref.conversation_id}")
            else:
                yield UnprocessedMessage(
                    event_id=ref.event_id,
                    conversation_id=ref.conversation_id,
                    text=message.content,
                    said_at=message.created_at,
                )

    def _load_passages(self, refs: tuple[RecallRef, ...]) -> Iterator[RecalledPassage]:
        ids = [ref.memory_id for ref in refs]
        texts = self.loader.search.get_passages(self.tenant, ids) if ids else {}
        for ref in refs:
            same = (text for text in texts.get(ref.memory_id, []) if text_digest(text) == ref.digest)
            if (text := next(same, None)) is None:
                self.missing.append(f"passage of {ref.memory_id}")
            else:
                yield RecalledPassage(**ref.model_dump(exclude={"digest"}), text=text)
