"""A toolbox for a model that calls nothing."""

from concurrent.futures import ThreadPoolExecutor

from functions.chat.toolbox import Toolbox
from functions.chat.tooling import Acting, DataSources, Registry
from tests.fakes.bus import InMemoryBus
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.recollection import InMemoryRecollection


def no_tools(acting: Acting) -> Toolbox:
    sources = DataSources(InMemoryRecollection(), InMemoryEpisodes(), InMemoryBus())
    return Toolbox(Registry(), sources, acting, ThreadPoolExecutor(1), lambda: 10.0, lambda *_: None)
