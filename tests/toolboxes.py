"""A toolbox for a model that calls nothing."""

from concurrent.futures import ThreadPoolExecutor

from functions.chat.results import ToolResultStore
from functions.chat.toolbox import ToolExecutor
from functions.chat.tooling import ToolContext, ToolRegistry, ToolSources
from membus.domain.erasure import SubjectsBeingErased
from tests.fakes.archive import InMemoryArchiveQueries
from tests.fakes.contents import InMemoryBlobs
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.recollection import InMemoryMemorySearch


def no_tools(acting: ToolContext) -> ToolExecutor:
    sources = ToolSources(InMemoryMemorySearch(), InMemoryEpisodes(), InMemoryArchiveQueries, _nobody)
    return ToolExecutor(ToolRegistry(), sources, acting, ThreadPoolExecutor(1), lambda: 10.0, lambda *_: None)


def _nobody(tenant: str) -> SubjectsBeingErased:
    return SubjectsBeingErased(tenant=tenant)


def no_results() -> ToolResultStore:
    return ToolResultStore(InMemoryBlobs, lambda _: None)
