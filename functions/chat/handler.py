"""Entry point of chat: answers a message, whole or over a socket, and shows prompts and tool results."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.chat.background import TurnWorker
from functions.chat.context import PromptContext
from functions.chat.context_loader import ContextLoader, PromptReproduction, ReproducedPrompt, preview_context
from functions.chat.deadline import Deadline
from functions.chat.schemas import ChatAnswer, MessageIn, PendingAnswer
from functions.chat.tool_calls import FullToolResults, ToolExecutor, ToolResultStore
from functions.chat.tools import ToolContext, ToolSources, registry
from functions.chat.turn import ChatService, InProgressError
from functions.chat.turn_records import TurnJob, new_turn_job
from functions.chat.websocket import WebSocketService
from membus.container import Container
from membus.conversations.conversation import Conversation, MessageIdGenerator
from membus.core.errors import ForbiddenError, InvalidError
from membus.core.identity import Id
from membus.http import create_application, describe_route, get_caller, respond_to_request
from membus.observability import logger

REQUEST_SECONDS = 24
"""API Gateway ends a request after 30 seconds."""
RESERVE_SECONDS = 3
"""Of an invocation, for storing the turn."""

container = Container.from_environment()
app = create_application()
ids = MessageIdGenerator()
read_pool, tool_pool = ThreadPoolExecutor(max_workers=6), ThreadPoolExecutor(max_workers=4)
"""A tool that hangs must not keep a prompt from being loaded."""
definitions = registry.list_definitions()
ConversationId = Annotated[Id, Path()]
ActingUser = Annotated[
    Id | None,
    Query(
        description="answer as this member would be answered, who sees their own prompts; without, the tenant asks"
    ),
]


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
    conversation: ConversationId,
    asked: Annotated[MessageIn, Body()],
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            description="names the message: a repeat under the same key asks no model and has the same answer",
        ),
    ] = None,
) -> Response[ChatAnswer | PendingAnswer]:
    if key is None:
        raise InvalidError(
            "send an Idempotency-Key: this request makes something new", code="idempotency_key_missing"
        )
    container = _container()
    job = new_turn_job(get_caller(app), conversation, asked, request_key=key, ids=ids, now=container.clock())
    try:
        turn = _chat(container, _request_deadline(app.lambda_context)).answer(job)
    except InProgressError as elsewhere:
        where = f"/v1/conversations/{conversation}/messages/{elsewhere.message.message_id}"
        return Response(
            HTTPStatus.ACCEPTED,
            body=PendingAnswer(message=elsewhere.message),
            content_type=content_types.APPLICATION_JSON,
            headers={"Location": where, "Retry-After": "2"},
        )
    return Response(
        HTTPStatus.OK, body=ChatAnswer.from_turn(turn), content_type=content_types.APPLICATION_JSON
    )


@app.get(
    "/v1/conversations/<conversation>/context",
    summary="Exactly what a message would send, by section; calls no model",
    **describe_route("chat", "memory:read"),
)
def get_context(
    conversation: ConversationId,
    message: Annotated[str, Query(max_length=10_000, description="what would be said")] = "",
    author: Annotated[Id | None, Query(description="who would say it; left out: the owner")] = None,
    user_id: ActingUser = None,
) -> PromptContext:
    container = _container()
    loader, found = _loader(container), _find_conversation(container, conversation)
    if user_id:
        found.require_member(user_id)
        _require_author(user_id, author or user_id)
    return preview_context(loader, found, message, author=author or user_id, now=container.clock())


@app.get(
    "/v1/conversations/<conversation>/messages/<message>/context",
    summary="The prompt of an old reply, made again and checked; calls no model",
    **describe_route("chat", "memory:read"),
)
def get_message_context(
    conversation: ConversationId, message: Annotated[Id, Path()], user_id: ActingUser = None
) -> ReproducedPrompt:
    container = _container()
    found = _find_conversation(container, conversation)
    loader = _loader(container)
    if user_id:
        found.require_member(user_id)
        made = container.conversations.store.get_provenance(found.tenant_id, conversation, message)
        _require_author(user_id, made.author)
    return PromptReproduction(loader, found.tenant_id, conversation).reproduce_prompt(message)


@app.get(
    "/v1/conversations/<conversation>/messages/<message>/results",
    summary="All that the tools of a reply gave, beyond what the model was shown",
    **describe_route("chat", "memory:read"),
)
def get_results(
    conversation: ConversationId, message: Annotated[Id, Path()], user_id: ActingUser = None
) -> FullToolResults:
    container = _container()
    found, store = _find_conversation(container, conversation), container.conversations.store
    if user_id:
        found.require_member(user_id)
        _require_author(user_id, store.get_provenance(found.tenant_id, conversation, message).author)
    reply = store.get_message(found.tenant_id, conversation, message)
    return _results(container).list_results(reply)


def _require_author(user: str, author: str) -> None:
    """Refuse a member the prompt of another one: it holds the other's profile and what was recalled of them."""
    if user != author:
        raise ForbiddenError(
            "only its author sees a prompt and what tools found for it", code="not_the_author"
        )


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> dict[str, Any] | None:
    if event.keys() == {"turn"}:  # from this function itself: no gateway makes such an event
        chat = _chat(container, _invocation_deadline(context))
        TurnWorker(chat, container.conversations.sender).run(TurnJob.model_validate(event["turn"]))
        return None
    if "connectionId" in event["requestContext"]:
        return _socket(container).handle_event(event)
    app.append_context(container=container)
    return respond_to_request(app, event, context, admit=container.tenants.rate_limiter.check_rate)


def _container() -> Container:
    container: Container = app.context["container"]
    return container


def _find_conversation(container: Container, conversation_id: str) -> Conversation:
    """Return a conversation of the caller's tenant.

    Raises:
        NotFoundError: there is none, or a participant is being erased.
    """
    conversations = container.conversations.store
    return container.erasure.guard.load_conversation(get_caller(app).tenant, conversation_id, conversations)


def _invocation_deadline(context: LambdaContext) -> Deadline:
    return Deadline(lambda: context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)


def _request_deadline(context: LambdaContext) -> Deadline:
    ends_at, invocation = time.monotonic() + REQUEST_SECONDS, _invocation_deadline(context)
    return Deadline(lambda: min(ends_at - time.monotonic(), invocation.seconds_left()), resumable=True)


def _socket(container: Container) -> WebSocketService:
    return WebSocketService(
        connections=container.conversations.connections,
        keys=container.api_keys,
        replies=container.conversations.messages,
        guard=container.erasure.guard,
        sender=container.conversations.sender,
        queue=container.conversations.turn_queue,
        clock=container.clock,
        ids=ids,
        admit=container.tenants.rate_limiter.check_rate,
    )


def _chat(container: Container, deadline: Deadline) -> ChatService:
    return ChatService(
        loader=_loader(container),
        guard=container.erasure.guard,
        conversations=container.conversations.store,
        jobs=container.conversations.reply_jobs,
        queue=container.conversations.turn_queue,
        bus=container.events.bus,
        announcements=lambda: container.events.announcements,
        model=partial(container.llm.get_model, "chat"),
        make_tools=partial(_tools, container, deadline),
        results=_results(container),
        clock=container.clock,
        ids=ids,
        deadline=deadline,
    )


def _results(container: Container) -> ToolResultStore:
    def warn(why: str) -> None:
        logger.warning("whole results are not kept", extra={"why": why})

    return ToolResultStore(lambda: container.blobs, warn)


def _tools(container: Container, deadline: Deadline, context: ToolContext) -> ToolExecutor:
    def warn(tool: str, why: str) -> None:
        logger.warning("a tool failed", extra={"tool": tool, "why": why, "tenant_id": context.owner.tenant})

    sources = ToolSources(
        container.search.client,
        container.episodes.client,
        lambda: container.episodes.archive_queries,
        container.erasure.guard.get_hidden,
        container.facts.store,
        container.tenants.settings,
    )
    return ToolExecutor(registry, sources, context, tool_pool, deadline, warn)


def _loader(container: Container) -> ContextLoader:
    return ContextLoader(
        conversations=container.conversations.store,
        summaries=container.conversations.summaries,
        facts=container.facts.store,
        unprocessed=container.conversations.unprocessed,
        search=container.search.client,
        pool=read_pool,
        tools=definitions,
        entities=container.conversations.entities,
        settings=container.tenants.settings,
    )
