"""A toolbox for a model that calls nothing."""

from concurrent.futures import ThreadPoolExecutor

from functions.chat.results import Results
from functions.chat.toolbox import Toolbox
from functions.chat.tooling import Acting, DataSources, Registry
from membus.domain.erasure import Hidden
from tests.fakes.archive import InMemoryArchive
from tests.fakes.contents import InMemoryContents
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.recollection import InMemoryRecollection


def no_tools(acting: Acting) -> Toolbox:
    sources = DataSources(InMemoryRecollection(), InMemoryEpisodes(), InMemoryArchive, _nobody)
    return Toolbox(Registry(), sources, acting, ThreadPoolExecutor(1), lambda: 10.0, lambda *_: None)


def _nobody(tenant: str) -> Hidden:
    return Hidden(tenant=tenant)


def no_results() -> Results:
    return Results(InMemoryContents, lambda _: None)
