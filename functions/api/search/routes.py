"""`/v1/search`: whatever memory holds, by meaning and by words."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.api.middleware import load_hidden
from functions.api.parameters import READ
from functions.api.search.schemas import SearchIn, SearchResults
from functions.api.search.usecase import MemorySearcher
from membus import wiring, wiring_conversations, wiring_search
from membus.erasure.guard import ensure_visible
from membus.http import get_caller

router = APIGatewayHttpRouter()


@router.post("/v1/search", summary="Search every kind of memory", **READ)
def post_search(asked: Annotated[SearchIn, Body()]) -> SearchResults:
    tenant, hidden = get_caller(router).tenant, load_hidden(router)
    if asked.user_id:
        ensure_visible(asked.user_id, hidden)
    return memory_searcher(tenant).search_memories(tenant, asked, hidden=hidden)


def memory_searcher(tenant: str) -> MemorySearcher:
    return MemorySearcher(
        index=wiring_search.memory_index(),
        embedder=wiring_search.embedder(tenant),
        facts=wiring.facts(),
        conversations=wiring_conversations.conversations(),
        recent=wiring_search.recent(),
        clock=wiring.now,
    )
