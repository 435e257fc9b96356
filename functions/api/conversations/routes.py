"""`/v1/conversations`: made, found, changed, deleted and read; the chat function answers in them.

`/v1/conversations/…/summary`.

What has been summed up, at which level, and that nothing pinned was lost.
"""

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from functions.api.conversations import usecase
from functions.api.conversations.schemas import (
    ConversationIn,
    ConversationPage,
    ConversationPatch,
    Handoff,
    MessageOrder,
    MessagePage,
    SummaryPage,
)
from functions.api.conversations.usecase import (
    HANDOFF_TURNS_MAX,
    PageRequest,
    read_conversation,
    read_handoff,
    read_summary,
)
from functions.api.etags import IfMatch, expected_version, with_etag
from functions.api.idempotency import idempotency_config, idempotent
from functions.api.middleware import load_hidden
from functions.api.parameters import READ, WRITE, Cursor, Limit, RequestKey, require_idempotency_key
from functions.api.router import ApiRouter
from membus.conversations.conversation import Conversation, ConversationStatus, Message, MessageIdGenerator
from membus.core.identity import Id, Owner
from membus.http import get_caller

router = ApiRouter()
ids = MessageIdGenerator()
ConversationId = Annotated[Id, Path()]
MessageId = Annotated[Id, Path()]
ActingUser = Annotated[
    Id | None,
    Query(alias="user_id", description="answer as this user would be answered; without, the tenant asks"),
]
Turns = Annotated[
    int,
    Query(
        ge=1,
        le=HANDOFF_TURNS_MAX,
        description="so many at least: what no summary covers is handed on as well",
    ),
]
CONVERSATION = "/v1/conversations/<conversation>"


@router.post("/v1/conversations", summary="Start a conversation", status_code=HTTPStatus.CREATED, **WRITE)
def post_conversation(asked: Annotated[ConversationIn, Body()], key: RequestKey = None) -> Conversation:
    start = idempotent(
        "conversations.create",
        _start_conversation,
        store=router.container.idempotency,
        config=idempotency_config(router.lambda_context),
        natural=True,
    )
    made = start(
        {
            "tenant": get_caller(router).tenant,
            "key": require_idempotency_key(key),
            "body": asked.model_dump(mode="json"),
        }
    )
    return Conversation.model_validate(made)


@router.get("/v1/conversations", summary="Conversations by status, newest first", **READ)
def get_conversations(
    *,
    status: Annotated[ConversationStatus, Query()] = "active",
    user: ActingUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConversationPage:
    return usecase.list_conversations(
        get_caller(router).tenant,
        status,
        user=user,
        listing=PageRequest(limit, cursor, router.container.cursor_signer),
        hidden=load_hidden(router),
        conversations=router.container.conversations.store,
    )


@router.get(CONVERSATION, summary="One conversation", **READ)
def get_conversation(conversation: ConversationId, user: ActingUser = None) -> Response[Conversation]:
    found = usecase.read_conversation(
        get_caller(router).tenant,
        conversation,
        user=user,
        hidden=load_hidden(router),
        conversations=router.container.conversations.store,
    )
    return with_etag(found, found.version)


@router.patch(CONVERSATION, summary="Rename, archive, bring back or share a conversation", **WRITE)
def patch_conversation(
    conversation: ConversationId,
    change: Annotated[ConversationPatch, Body()],
    user: ActingUser = None,
    if_match: IfMatch = None,
) -> Response[Conversation]:
    _ensure_not_erased(get_caller(router).tenant, change.members or ())
    expected = expected_version(change.expected_version, if_match)
    changed = usecase.change_conversation(
        get_caller(router).tenant,
        conversation,
        change.model_copy(update={"expected_version": expected}),
        user=user,
        hidden=load_hidden(router),
        conversations=router.container.conversations.store,
        pause=time.sleep,
    )
    return with_etag(changed, changed.version)


@router.delete(
    CONVERSATION, summary="Delete a conversation and its messages", status_code=HTTPStatus.NO_CONTENT, **WRITE
)
def delete_conversation(conversation: ConversationId, user: ActingUser = None) -> Response[None]:
    usecase.delete_conversation(
        get_caller(router).tenant, conversation, user=user, conversations=router.container.conversations.store
    )
    return Response(HTTPStatus.NO_CONTENT)


@router.get(f"{CONVERSATION}/messages", summary="Messages, from either end", **READ)
def get_messages(
    *,
    conversation: ConversationId,
    order: Annotated[MessageOrder, Query(description="which come first")] = "oldest",
    user: ActingUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MessagePage:
    return usecase.list_messages(
        get_caller(router).tenant,
        conversation,
        order,
        user=user,
        listing=PageRequest(limit, cursor, router.container.cursor_signer),
        hidden=load_hidden(router),
        conversations=router.container.conversations.store,
    )


@router.get(f"{CONVERSATION}/messages/<message>", summary="One message, and whether it is complete", **READ)
def get_message(conversation: ConversationId, message: MessageId, user: ActingUser = None) -> Message:
    return usecase.read_message(
        get_caller(router).tenant,
        conversation,
        message,
        user=user,
        hidden=load_hidden(router),
        replies=router.container.conversations.messages,
    )


@router.get(f"{CONVERSATION}/handoff", summary="Everything needed to go on with a conversation", **READ)
def get_handoff(conversation: ConversationId, turns: Turns = 10, user: ActingUser = None) -> Handoff:
    return read_handoff(
        get_caller(router).tenant,
        conversation,
        user=user,
        turns=turns,
        now=router.container.clock(),
        hidden=load_hidden(router),
        conversations=router.container.conversations.store,
        outlines=router.container.conversations.summaries,
        facts=router.container.facts.store,
    )


def _start_conversation(request: dict[str, Any]) -> dict[str, Any]:
    _ensure_not_erased(request["tenant"], (request["body"]["user_id"], *request["body"]["members"]))
    started = usecase.start_conversation(
        ConversationIn.model_validate(request["body"]),
        tenant=request["tenant"],
        request_key=request["key"],
        now=router.container.clock(),
        ids=ids,
        conversations=router.container.conversations.store,
    )
    return started.model_dump(mode="json")


def _ensure_not_erased(tenant: str, users: Iterable[str]) -> None:
    for user in users:
        router.container.erasure.guard.ensure_writable(Owner(tenant=tenant, user=user))


@router.get(
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
    tenant = get_caller(router).tenant
    read_conversation(
        tenant,
        conversation,
        user=user,
        hidden=load_hidden(router),
        conversations=router.container.conversations.store,
    )
    return read_summary(
        tenant,
        conversation,
        version,
        listing=PageRequest(limit, cursor, router.container.cursor_signer),
        summaries=router.container.conversations.summaries,
    )
