"""`/v1/search`: whatever memory holds, by meaning and by words."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory.memories_api import Results, SearchIn
from functions.memory.routes.parameters import READ
from functions.memory.routes.walls import unseen
from functions.memory.search import Search
from membus import wiring, wiring_conversations, wiring_search
from membus.erasing import show
from membus.http import caller

router = APIGatewayHttpRouter()


@router.post("/v1/search", summary="Search every kind of memory", **READ)
def post_search(asked: Annotated[SearchIn, Body()]) -> Results:
    tenant, hidden = caller(router).tenant, unseen(router)
    if asked.user_id:
        show(asked.user_id, hidden)
    return searching(tenant).answer(tenant, asked, hidden=hidden)


def searching(tenant: str) -> Search:
    return Search(
        index=wiring_search.memory_index(),
        embedder=wiring_search.embedder(tenant),
        facts=wiring.facts(),
        conversations=wiring_conversations.conversations(),
        recent=wiring_search.recent(),
        clock=wiring.now,
    )
