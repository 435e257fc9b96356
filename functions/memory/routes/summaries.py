"""`/v1/conversations/…/summary`.

What has been summed up, at which level, and that nothing pinned was lost.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory.conversations import PageRequest, read_conversation
from functions.memory.routes.conversations import ActingUser
from functions.memory.routes.parameters import READ, Cursor, Limit
from functions.memory.routes.walls import load_hidden
from functions.memory.summaries import SummaryPage, read_summary
from membus import wiring, wiring_conversations
from membus.domain.identity import Id
from membus.http import get_caller

summary_router = APIGatewayHttpRouter()


@summary_router.get(
    "/v1/conversations/<conversation>/summary", summary="Summaries, slots and their verification", **READ
)
def get_summary(
    *,
    conversation: Annotated[Id, Path()],
    version: Annotated[int | None, Query(ge=1, description="an older version of the outline")] = None,
    user: ActingUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SummaryPage:
    tenant = get_caller(summary_router).tenant
    read_conversation(
        tenant,
        conversation,
        user=user,
        hidden=load_hidden(summary_router),
        conversations=wiring_conversations.conversations(),
    )
    return read_summary(
        tenant,
        conversation,
        version,
        listing=PageRequest(limit, cursor, wiring.sealer()),
        summaries=wiring_conversations.summaries(),
    )
