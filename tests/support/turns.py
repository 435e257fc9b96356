"""Turns of chat without its transports: a service over any stores, and requests to it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from functions.chat.context_loader import ContextLoader
from functions.chat.deadline import Deadline
from functions.chat.schemas import MessageIn
from functions.chat.tool_calls import ToolExecutor, ToolResultStore
from functions.chat.tools import ToolContext, ToolRegistry, ToolSources
from functions.chat.turn import ChatService
from functions.chat.turn_records import TurnJob, new_turn_job
from membus.conversations.conversation import MessageIdGenerator
from membus.core.clock import Clock
from membus.core.erasure import SubjectsBeingErased
from membus.core.identity import Caller, Owner
from membus.erasure.guard import ErasureGuard
from membus.llm.ports import LanguageModel
from membus.tenants.settings import NoSettings
from tests.factories import ADA, NOON
from tests.fakes.archive_queries import InMemoryArchiveQueries
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.facts import InMemoryFacts
from tests.fakes.memory_search import InMemoryMemorySearch
from tests.fakes.reply_jobs import InMemoryReplyJobs
from tests.fakes.sockets import ImmediateTurnQueue

TEN_SECONDS = Deadline(lambda: 10.0)


def a_chat(
    *,
    conversations: Any,
    summaries: Any,
    facts: Any,
    unprocessed: Any,
    model: LanguageModel,
    clock: Clock,
    search: Any = None,
    pool_size: int = 6,
    tools: Any = (),
    **parts: Any,
) -> ChatService:
    """Return a service whose model calls no tools, with in-memory parts where none are named."""
    usual = {
        "loader": ContextLoader(
            conversations=conversations,
            summaries=summaries,
            facts=facts,
            unprocessed=unprocessed,
            search=search or InMemoryMemorySearch(),
            pool=ThreadPoolExecutor(pool_size),
            tools=tools,
        ),
        "guard": ErasureGuard(InMemoryErasures()),
        "conversations": conversations,
        "jobs": InMemoryReplyJobs(clock),
        "queue": ImmediateTurnQueue(lambda _: None),
        "bus": InMemoryEventBus(),
        "announcements": InMemoryEventBus,
        "model": lambda _: model,
        "make_tools": no_tools,
        "results": ToolResultStore(InMemoryBlobs, lambda _: None),
        "clock": clock,
        "ids": MessageIdGenerator(),
        "deadline": TEN_SECONDS,
    }
    return ChatService(**(usual | parts))


def a_turn_job(
    content: str,
    *,
    author: Owner = ADA,
    conversation_id: str = "c",
    key: str = "k1",
    ids: MessageIdGenerator | None = None,
    clock: Clock = lambda: NOON,
) -> TurnJob:
    return new_turn_job(
        Caller(tenant=author.tenant, key_id="k1", scopes=frozenset({"chat"})),
        conversation_id,
        MessageIn(content=content, author=author.user),
        request_key=key,
        ids=ids or MessageIdGenerator(),
        now=clock(),
    )


def no_tools(context: ToolContext) -> ToolExecutor:
    facts = InMemoryFacts(InMemoryEpisodes())
    sources = ToolSources(
        InMemoryMemorySearch(), InMemoryEpisodes(), InMemoryArchiveQueries, _nobody, facts, NoSettings()
    )
    return ToolExecutor(ToolRegistry(), sources, context, ThreadPoolExecutor(1), TEN_SECONDS, lambda *_: None)


def tools_with_results(results: dict[str, str]) -> Callable[[ToolContext], ToolExecutor]:
    """Return what makes tools whose full results lie outside the prompt, without a call of the model."""
    return lambda context: replace(no_tools(context), full_results=dict(results))


def _nobody(tenant: str) -> SubjectsBeingErased:
    return SubjectsBeingErased(tenant=tenant)
