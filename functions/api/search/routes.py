"""`/v1/search`: every kind of memory, by meaning and by words."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api.parameters import READ
from functions.api.router import ApiRouter
from functions.api.search.schemas import SearchIn, SearchResults
from functions.api.search.usecase import MemorySearcher
from membus.container import Container

router = ApiRouter()


@router.post("/v1/search", summary="Search every kind of memory", **READ)
def post_search(asked: Annotated[SearchIn, Body()]) -> SearchResults:
    router.check_visible(asked.user_id)
    searcher = memory_searcher(router.container, router.tenant)
    return searcher.search_memories(router.tenant, asked, hidden=router.hidden)


def memory_searcher(container: Container, tenant: str) -> MemorySearcher:
    return MemorySearcher(
        index=container.search.index,
        embedder=container.search.get_embedder(tenant),
        facts=container.facts.store,
        conversations=container.conversations.store,
        settings=container.tenants.settings,
        recent=container.episodes.recent,
        clock=container.clock,
    )
