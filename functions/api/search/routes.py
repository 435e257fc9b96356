"""`/v1/search`: whatever memory holds, by meaning and by words."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api.middleware import load_hidden
from functions.api.parameters import READ
from functions.api.router import ApiRouter
from functions.api.search.schemas import SearchIn, SearchResults
from functions.api.search.usecase import MemorySearcher
from membus.container import Container
from membus.erasure.guard import ensure_visible
from membus.http import get_caller

router = ApiRouter()


@router.post("/v1/search", summary="Search every kind of memory", **READ)
def post_search(asked: Annotated[SearchIn, Body()]) -> SearchResults:
    tenant, hidden = get_caller(router).tenant, load_hidden(router)
    if asked.user_id:
        ensure_visible(asked.user_id, hidden)
    return memory_searcher(router.container, tenant).search_memories(tenant, asked, hidden=hidden)


def memory_searcher(container: Container, tenant: str) -> MemorySearcher:
    return MemorySearcher(
        index=container.search.index,
        embedder=container.search.embedder(tenant),
        facts=container.facts.store,
        conversations=container.conversations.store,
        recent=container.episodes.recent,
        clock=container.clock,
    )
