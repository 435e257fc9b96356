"""The API, chat and extraction over the real DynamoDB adapters, composed as in the functions."""

from collections.abc import Mapping
from typing import Any

from functions.api.events.usecase import EventDefaults, accept_events
from functions.chat.context_loader import preview_context
from functions.chat.deadline import Deadline
from membus.conversations.cache import CachingConversations
from membus.conversations.conversation import Turn
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.dynamodb_replies import DynamoReplyJobs
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.conversations.ports import ConversationStore
from membus.conversations.window import WINDOW_MESSAGES_MAX
from membus.core.event import Event
from membus.core.identity import Owner
from membus.episodes.dynamodb import DynamoEpisodes
from membus.erasure.dynamodb import DynamoErasures
from membus.erasure.guard import CachedErasures, ErasureGuard
from membus.facts.dynamodb import DynamoAnswers, DynamoFacts
from membus.facts.dynamodb_review_queue import DynamoReviewQueue
from membus.facts.dynamodb_signals import DynamoSignals
from membus.llm.prompt import ModelReply, Prompt
from membus.tenants.budget import BudgetAccount
from membus.tenants.costs import load_price_list
from membus.tenants.dynamodb import DynamoRateLimits, DynamoTenants, DynamoUsage
from membus.tenants.model import RateLimits, Tenant
from membus.tenants.rate_limiter import RateLimiter
from tests.factories import ADA, NOON, a_conversation
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.cache import InMemoryConversationCache
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.model import Line, ScriptedModel
from tests.fakes.rate_limits import RecordingRateLimitMonitor
from tests.fakes.usage import RecordingUsageMonitor
from tests.support.extraction import Extraction, a_message
from tests.support.tables import make_table
from tests.support.turns import a_chat, a_turn_job

RATES = RateLimits(requests_per_second=1_000, events_per_second=100_000)
BOB = Owner(tenant=ADA.tenant, user="bob")
"""The user of the accepted events, so that no turn of Ada has them as unprocessed messages."""
QUESTION = "What would you cook with pumpkin tonight?"


class Stores:
    """One tenant with a conversation of 49 turns, in warm execution environments."""

    def __init__(self, facts: Line) -> None:
        memory, conversations = make_table("memory"), make_table("conversations")
        tenants = make_table("tenants")
        self.clients = [memory.meta.client, conversations.meta.client, tenants.meta.client]
        self.guard = ErasureGuard(CachedErasures(DynamoErasures(tenants), lambda: NOON))
        self.facts, self.episodes = DynamoFacts(memory), DynamoEpisodes(memory, InMemoryBlobs())
        self.signals, self.review_queue = DynamoSignals(memory), DynamoReviewQueue(memory, lambda: NOON)
        self.answers, self.unprocessed = (
            DynamoAnswers(memory),
            DynamoUnprocessedMessages(conversations, lambda: NOON),
        )
        store = DynamoConversations(conversations, lambda: NOON)
        self.conversations, self.hot = store, CachingConversations(store, InMemoryConversationCache())
        self.tenants, self.usage = DynamoTenants(tenants), DynamoUsage(tenants)
        self.rate_limiter = RateLimiter(
            DynamoRateLimits(tenants, lambda: NOON),
            self.tenants,
            RATES,
            lambda: NOON,
            RecordingRateLimitMonitor(),
        )
        self.tenants.add_tenant(Tenant(ADA.tenant, "Acme Ltd", NOON))
        store.create_conversation(a_conversation(), request_key="first")
        self.reading = _Billed(self._account("extract"), facts)
        speaking = _Billed(self._account("chat"), "Bom dia!")
        self.chat = a_chat(
            conversations=store,
            summaries=DynamoSummaries(conversations),
            facts=self.facts,
            unprocessed=self.unprocessed,
            model=speaking,
            clock=lambda: NOON,
            guard=self.guard,
            jobs=DynamoReplyJobs(conversations, lambda: NOON),
            deadline=Deadline(lambda: 24.0, resumable=True),
        )
        for number in range(49):
            self.unprocessed.mark_processed(
                ADA, [self.turn(str(number)).event_id]
            )  # extract is some seconds behind
        self.rate_limiter.check_rate(ADA.tenant)
        for user in (ADA, BOB):
            self.guard.ensure_writable(user)  # heard of within the minute

    def window(self, conversations: ConversationStore) -> None:
        conversations.list_recent_messages(
            ADA.tenant, a_conversation().conversation_id, limit=WINDOW_MESSAGES_MAX
        )

    def send(self, *items: Mapping[str, Any]) -> None:
        """Accept events, as `POST /v1/events` does."""
        self.rate_limiter.check_rate(ADA.tenant)
        self.rate_limiter.check_rate(ADA.tenant, "events", len(items))
        accept_events(
            items,
            EventDefaults(tenant=ADA.tenant, request_key=None, now=NOON),
            guard=self.guard,
            bus=InMemoryEventBus(),
            unprocessed=self.unprocessed,
            monitor=RecordingUsageMonitor(),
        )

    def extract(self, *events: Event) -> None:
        """Extract from a batch of events, as the queue delivers it."""
        extraction = Extraction(
            self.reading,
            episodes=self.episodes,
            facts=self.facts,
            signals=self.signals,
            review_queue=self.review_queue,
            unprocessed=self.unprocessed,
            answers=self.answers,
            erasures=self.guard.erasures,
            usage=self.usage,
        )
        extraction.deliver(*(a_message(event, event.event_id) for event in events))

    def context(self) -> None:
        talk_id = a_conversation().conversation_id
        talk = self.guard.load_conversation(ADA.tenant, talk_id, self.chat.conversations)
        preview_context(self.chat.loader, talk, "How are you?", author=ADA.user, now=NOON)

    def turn(self, key: str = "last") -> Turn:
        """Answer a message, once its request is admitted."""
        talk = a_conversation().conversation_id
        return self.chat.answer(a_turn_job(QUESTION, conversation_id=talk, key=key, ids=self.chat.ids))

    def turn_over_http(self) -> None:
        """Answer a message within its request, as `POST …/messages` does."""
        self.rate_limiter.check_rate(ADA.tenant)
        self.turn("http")

    def _account(self, function: str) -> BudgetAccount:
        return BudgetAccount(
            ADA.tenant,
            function,
            self.usage,
            self.tenants,
            load_price_list(),
            lambda: NOON,
            RecordingUsageMonitor(),
        )


class _Billed(ScriptedModel):
    """A model whose calls count for the budget of the tenant."""

    def __init__(self, account: BudgetAccount, line: Line) -> None:
        super().__init__(line)
        self._account = account

    def generate_reply(self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float) -> ModelReply:
        self._account.check_budget(self.name)
        reply = super().generate_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)
        self._account.charge_call(self.name, reply.usage)
        return reply
