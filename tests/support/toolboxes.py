"""A toolbox for a model that calls nothing."""

from concurrent.futures import ThreadPoolExecutor

from functions.chat.tool_calls import ToolExecutor, ToolResultStore
from functions.chat.tools import ToolContext, ToolRegistry, ToolSources
from membus.core.erasure import SubjectsBeingErased
from tests.fakes.archive_queries import InMemoryArchiveQueries
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.memory_search import InMemoryMemorySearch


def no_tools(acting: ToolContext) -> ToolExecutor:
    sources = ToolSources(InMemoryMemorySearch(), InMemoryEpisodes(), InMemoryArchiveQueries, _nobody)
    return ToolExecutor(ToolRegistry(), sources, acting, ThreadPoolExecutor(1), lambda: 10.0, lambda *_: None)


def _nobody(tenant: str) -> SubjectsBeingErased:
    return SubjectsBeingErased(tenant=tenant)


def no_results() -> ToolResultStore:
    return ToolResultStore(InMemoryBlobs, lambda _: None)
