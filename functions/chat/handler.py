"""Entry point of chat: a message in, an answer out, whole or over a socket.

And the prompt that it would take.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.chat.context import PromptContext
from functions.chat.context_loader import ContextLoader, PromptReproduction, ReproducedPrompt
from functions.chat.schemas import ChatAnswer, MessageIn, PendingAnswer, check_message
from functions.chat.tool_calls import FullToolResults, ToolExecutor, ToolResultStore
from functions.chat.tools import ToolContext, ToolSources, registry
from functions.chat.turn import ChatService
from functions.chat.turn_records import TurnIds
from functions.chat.turn_worker import ReplyWaiter, TurnJob, TurnWorker
from functions.chat.websocket import WebSocketService, handle_gateway_event
from membus import (
    wiring,
    wiring_cold,
    wiring_conversations,
    wiring_erasing,
    wiring_models,
    wiring_rates,
    wiring_search,
    wiring_socket,
)
from membus.conversations.conversation import MessageIdGenerator, Turn
from membus.core.errors import InvalidError
from membus.core.identity import Caller, Id
from membus.http import create_application, describe_route, get_caller, respond_to_request
from membus.observability import logger

WAIT_SECONDS = 24
"""API Gateway ends a request after 30 seconds."""
RESERVE_SECONDS = 3
"""Of an invocation, for storing the turn."""

app = create_application()
ids = MessageIdGenerator()
pool, hands = ThreadPoolExecutor(max_workers=6), ThreadPoolExecutor(max_workers=4)
"""A tool that hangs must not keep a prompt from being gathered."""
pause = time.sleep
definitions = registry.list_definitions()
Conversation = Annotated[Id, Path()]


@app.post(
    "/v1/conversations/<conversation>/messages",
    summary="Say something and get the answer",
    responses={
        HTTPStatus.OK: {"description": "The answer", "content": {"application/json": {"model": ChatAnswer}}},
        HTTPStatus.ACCEPTED: {
            "description": "It takes longer than a request may: the message to ask for",
            "content": {"application/json": {"model": PendingAnswer}},
        },
    },
    **describe_route("chat", "chat"),
)
def post_message(
    conversation: Conversation,
    asked: Annotated[MessageIn, Body()],
    key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)] = None,
) -> Response[ChatAnswer | PendingAnswer]:
    if key is None:
        raise InvalidError(
            "send an Idempotency-Key: this request makes something new", code="idempotency_key_missing"
        )
    who = get_caller(app)
    check_message(asked)
    told = _chat(app.lambda_context).find_completed_turn(who.tenant, conversation, asked, request_key=key)
    answer = told or _waiting().wait_for_reply(
        _long_turn(who, conversation, asked, key), seconds=WAIT_SECONDS
    )
    if isinstance(answer, Turn):
        return Response(
            HTTPStatus.OK, body=ChatAnswer.from_turn(answer), content_type=content_types.APPLICATION_JSON
        )
    message = answer.to_message(
        wiring_conversations.conversations().get_conversation(who.tenant, conversation), wiring.now()
    )
    where = f"/v1/conversations/{conversation}/messages/{answer.message_id}"
    headers: dict[str, str | list[str]] = {"Location": where, "Retry-After": "2"}
    body = PendingAnswer(message=message)
    return Response(
        HTTPStatus.ACCEPTED, body=body, content_type=content_types.APPLICATION_JSON, headers=headers
    )


def _long_turn(who: Caller, conversation_id: str, asked: MessageIn, key: str) -> TurnJob:
    return TurnJob(
        tenant=who.tenant,
        conversation_id=conversation_id,
        message=asked,
        request_id=key,
        ids=TurnIds.generate_ids(ids, wiring.now()),
        whole_tenant=who.sees_all,
    )


def _waiting() -> ReplyWaiter:
    pending, turns = wiring_socket.pending(), wiring_socket.turns()
    return ReplyWaiter(
        wiring_conversations.conversations(), pending, turns, wiring.now, pause, time.monotonic
    )


@app.get(
    "/v1/conversations/<conversation>/context",
    summary="Exactly what a message would send, by section; calls no model",
    **describe_route("chat", "memory:read"),
)
def get_context(
    conversation: Conversation,
    message: Annotated[str, Query(max_length=10_000)] = "",
    author: Annotated[Id | None, Query()] = None,
) -> PromptContext:
    return _chat(app.lambda_context).preview_context(
        get_caller(app).tenant, conversation, message, author=author
    )


@app.get(
    "/v1/conversations/<conversation>/messages/<message>/context",
    summary="The prompt of an old reply, made again and checked; calls no model",
    **describe_route("chat", "memory:read"),
)
def get_message_context(conversation: Conversation, message: Annotated[Id, Path()]) -> ReproducedPrompt:
    return PromptReproduction(_gatherer(), wiring_erasing.gate()).reproduce_prompt(
        get_caller(app).tenant, conversation, message
    )


@app.get(
    "/v1/conversations/<conversation>/messages/<message>/results",
    summary="All that the tools of a reply gave, beyond what the model was shown",
    **describe_route("chat", "memory:read"),
)
def get_results(conversation: Conversation, message: Annotated[Id, Path()]) -> FullToolResults:
    tenant, conversations = get_caller(app).tenant, wiring_conversations.conversations()
    wiring_erasing.gate().load_conversation(tenant, conversation, conversations)
    return ToolResultStore(wiring.contents, _unkept).list_results(
        conversations, tenant, conversation, message
    )


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    if event.keys() == {"turn"}:  # from this function itself: no gateway makes such an event
        turn = TurnJob.model_validate(event["turn"])
        chat = _chat(context, whole_tenant=turn.whole_tenant)
        TurnWorker(chat, wiring_socket.push(), wiring_socket.pending(), chat.seconds_left).run(turn)
        return None
    if "connectionId" in event["requestContext"]:
        return handle_gateway_event(event, _socket())
    return respond_to_request(app, event, context, admit=wiring_rates.turnstile().check_rate)


def _socket() -> WebSocketService:
    return WebSocketService(
        connections=wiring_socket.connections(),
        keys=wiring.api_keys(),
        replies=wiring_socket.replies(),
        gate=wiring_erasing.gate(),
        push=wiring_socket.push(),
        turns=wiring_socket.turns(),
        clock=wiring.now,
        ids=ids,
        admit=wiring_rates.turnstile().check_rate,
    )


def _chat(context: LambdaContext, *, whole_tenant: bool = False) -> ChatService:
    """Tools see the acting user's own, unless the caller may see the whole tenant."""

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS

    return ChatService(
        gatherer=_gatherer(),
        gate=wiring_erasing.gate(),
        conversations=wiring_conversations.conversations(),
        bus=wiring.bus(),
        announcements=wiring_search.announcements,
        model=partial(wiring_models.model, "chat"),
        toolbox=partial(_toolbox, seconds_left, whole_tenant),
        results=ToolResultStore(wiring.contents, _unkept),
        clock=wiring.now,
        seconds_left=seconds_left,
        ids=ids,
    )


def _unkept(why: str) -> None:
    logger.warning("whole results are not kept", extra={"why": why})


def _toolbox(seconds_left: Callable[[], float], whole_tenant: bool, acting: ToolContext) -> ToolExecutor:  # noqa: FBT001
    def tell(tool: str, why: str) -> None:
        logger.warning("a tool failed", extra={"tool": tool, "why": why, "tenant_id": acting.owner.tenant})

    sources = ToolSources(
        wiring_search.recollection(),
        wiring_search.episodes(),
        wiring_cold.archive,
        wiring_erasing.gate().get_hidden,
    )
    return ToolExecutor(
        registry, sources, replace(acting, whole_tenant=whole_tenant), hands, seconds_left, tell
    )


def _gatherer() -> ContextLoader:
    return ContextLoader(
        conversations=wiring_conversations.conversations(),
        summaries=wiring_conversations.summaries(),
        facts=wiring.facts(),
        fresh=wiring_conversations.fresh(),
        recollection=wiring_search.recollection(),
        pool=pool,
        tools=definitions,
        live=wiring_conversations.live_entities(),
    )
