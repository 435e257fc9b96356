"""Entry point of chat: a message in, an answer out, whole or over a socket.

And the prompt that it would take.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
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
from membus.container import Container
from membus.conversations.conversation import MessageIdGenerator, Turn
from membus.core.errors import InvalidError
from membus.core.identity import Caller, Id
from membus.http import create_application, describe_route, get_caller, respond_to_request
from membus.observability import logger

WAIT_SECONDS = 24
"""API Gateway ends a request after 30 seconds."""
RESERVE_SECONDS = 3
"""Of an invocation, for storing the turn."""

container = Container.from_environment()
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
    who, container = get_caller(app), _container()
    check_message(asked)
    told = _chat(container, app.lambda_context).find_completed_turn(
        who.tenant, conversation, asked, request_key=key
    )
    answer = told or _waiting(container).wait_for_reply(
        _long_turn(who, conversation, asked, key, container.clock()), seconds=WAIT_SECONDS
    )
    if isinstance(answer, Turn):
        return Response(
            HTTPStatus.OK, body=ChatAnswer.from_turn(answer), content_type=content_types.APPLICATION_JSON
        )
    message = answer.to_message(
        container.conversations.store.get_conversation(who.tenant, conversation), container.clock()
    )
    where = f"/v1/conversations/{conversation}/messages/{answer.message_id}"
    headers: dict[str, str | list[str]] = {"Location": where, "Retry-After": "2"}
    body = PendingAnswer(message=message)
    return Response(
        HTTPStatus.ACCEPTED, body=body, content_type=content_types.APPLICATION_JSON, headers=headers
    )


def _long_turn(who: Caller, conversation_id: str, asked: MessageIn, key: str, now: datetime) -> TurnJob:
    return TurnJob(
        tenant=who.tenant,
        conversation_id=conversation_id,
        message=asked,
        request_id=key,
        ids=TurnIds.generate_ids(ids, now),
        whole_tenant=who.sees_all,
    )


def _waiting(container: Container) -> ReplyWaiter:
    pending, turns = container.conversations.reply_jobs, container.conversations.turn_queue
    return ReplyWaiter(container.conversations.store, pending, turns, container.clock, pause, time.monotonic)


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
    return _chat(_container(), app.lambda_context).preview_context(
        get_caller(app).tenant, conversation, message, author=author
    )


@app.get(
    "/v1/conversations/<conversation>/messages/<message>/context",
    summary="The prompt of an old reply, made again and checked; calls no model",
    **describe_route("chat", "memory:read"),
)
def get_message_context(conversation: Conversation, message: Annotated[Id, Path()]) -> ReproducedPrompt:
    container = _container()
    return PromptReproduction(_gatherer(container), container.erasure.guard).reproduce_prompt(
        get_caller(app).tenant, conversation, message
    )


@app.get(
    "/v1/conversations/<conversation>/messages/<message>/results",
    summary="All that the tools of a reply gave, beyond what the model was shown",
    **describe_route("chat", "memory:read"),
)
def get_results(conversation: Conversation, message: Annotated[Id, Path()]) -> FullToolResults:
    tenant, container = get_caller(app).tenant, _container()
    conversations = container.conversations.store
    container.erasure.guard.load_conversation(tenant, conversation, conversations)
    return ToolResultStore(lambda: container.blobs, _unkept).list_results(
        conversations, tenant, conversation, message
    )


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> dict[str, Any] | None:
    if event.keys() == {"turn"}:  # from this function itself: no gateway makes such an event
        turn = TurnJob.model_validate(event["turn"])
        chat = _chat(container, context, whole_tenant=turn.whole_tenant)
        TurnWorker(
            chat, container.conversations.sender, container.conversations.reply_jobs, chat.seconds_left
        ).run(turn)
        return None
    if "connectionId" in event["requestContext"]:
        return handle_gateway_event(event, _socket(container))
    app.append_context(container=container)
    return respond_to_request(app, event, context, admit=container.tenants.rate_limiter.check_rate)


def _container() -> Container:
    container: Container = app.context["container"]
    return container


def _socket(container: Container) -> WebSocketService:
    return WebSocketService(
        connections=container.conversations.connections,
        keys=container.api_keys,
        replies=container.conversations.messages,
        gate=container.erasure.guard,
        push=container.conversations.sender,
        turns=container.conversations.turn_queue,
        clock=container.clock,
        ids=ids,
        admit=container.tenants.rate_limiter.check_rate,
    )


def _chat(container: Container, context: LambdaContext, *, whole_tenant: bool = False) -> ChatService:
    """Tools see the acting user's own, unless the caller may see the whole tenant."""

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS

    return ChatService(
        gatherer=_gatherer(container),
        gate=container.erasure.guard,
        conversations=container.conversations.store,
        bus=container.events.bus,
        announcements=lambda: container.events.announcements,
        model=partial(container.llm.model, "chat"),
        toolbox=partial(_toolbox, container, seconds_left, whole_tenant),
        results=ToolResultStore(lambda: container.blobs, _unkept),
        clock=container.clock,
        seconds_left=seconds_left,
        ids=ids,
    )


def _unkept(why: str) -> None:
    logger.warning("whole results are not kept", extra={"why": why})


def _toolbox(
    container: Container,
    seconds_left: Callable[[], float],
    whole_tenant: bool,  # noqa: FBT001 (bound by `partial`)
    acting: ToolContext,
) -> ToolExecutor:
    def tell(tool: str, why: str) -> None:
        logger.warning("a tool failed", extra={"tool": tool, "why": why, "tenant_id": acting.owner.tenant})

    sources = ToolSources(
        container.search.client,
        container.episodes.client,
        lambda: container.episodes.archive_queries,
        container.erasure.guard.get_hidden,
    )
    return ToolExecutor(
        registry, sources, replace(acting, whole_tenant=whole_tenant), hands, seconds_left, tell
    )


def _gatherer(container: Container) -> ContextLoader:
    return ContextLoader(
        conversations=container.conversations.store,
        summaries=container.conversations.summaries,
        facts=container.facts.store,
        fresh=container.conversations.unprocessed,
        recollection=container.search.client,
        pool=pool,
        tools=definitions,
        live=container.conversations.entities,
    )
