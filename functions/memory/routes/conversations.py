"""`/v1/conversations`: made, found, listed and read; the chat function answers in them."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory import conversations
from functions.memory.api import ConversationIn, ConversationPage, MessagePage
from functions.memory.once import once, settings
from functions.memory.routes.parameters import READ, WRITE, Cursor, Limit, RequestKey, required
from membus import wiring
from membus.domain.conversation import Conversation, MessageIds, Status
from membus.domain.identity import Id
from membus.http import caller

router = APIGatewayHttpRouter()
ids = MessageIds()


@router.post("/v1/conversations", summary="Start a conversation", status_code=HTTPStatus.CREATED, **WRITE)
def post_conversation(asked: Annotated[ConversationIn, Body()], key: RequestKey = None) -> Conversation:
    start = once("conversations.create", _start, store=wiring.idempotency(), config=settings(router.lambda_context))
    made = start({"tenant": caller(router).tenant, "key": required(key), "body": asked.model_dump(mode="json")})
    return Conversation.model_validate(made)


@router.get("/v1/conversations", summary="Conversations by status, newest first", **READ)
def get_conversations(
    status: Annotated[Status, Query()] = "active", limit: Limit = 50, cursor: Cursor = None
) -> ConversationPage:
    return conversations.list_conversations(
        caller(router).tenant, status, limit=limit, cursor=cursor,
        conversations=wiring.conversations(), sealer=wiring.sealer(),
    )  # fmt: skip


@router.get("/v1/conversations/<conversation>", summary="One conversation", **READ)
def get_conversation(conversation: Annotated[Id, Path()]) -> Conversation:
    return wiring.conversations().conversation(caller(router).tenant, conversation)


@router.get("/v1/conversations/<conversation>/messages", summary="Messages, oldest first", **READ)
def get_messages(conversation: Annotated[Id, Path()], limit: Limit = 50, cursor: Cursor = None) -> MessagePage:
    return conversations.list_messages(
        caller(router).tenant, conversation, limit=limit, cursor=cursor,
        conversations=wiring.conversations(), sealer=wiring.sealer(),
    )  # fmt: skip


def _start(request: dict[str, Any]) -> dict[str, Any]:
    started = conversations.start_conversation(
        ConversationIn.model_validate(request["body"]), tenant=request["tenant"], request_key=request["key"],
        now=wiring.now(), ids=ids,
        conversations=wiring.conversations(),
    )  # fmt: skip
    return started.model_dump(mode="json")
