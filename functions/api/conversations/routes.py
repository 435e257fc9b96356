"""`/v1/conversations`: started, listed, read, changed and deleted; the chat function answers in them."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

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
    VisibleConversations,
    read_handoff,
    read_summary,
    start_conversation,
)
from functions.api.etags import IfMatch, expected_version, with_etag
from functions.api.parameters import (
    READ,
    WRITE,
    Cursor,
    Limit,
    PathId,
    RequestKey,
    require_idempotency_key,
)
from functions.api.router import ApiRouter
from membus.conversations.conversation import Conversation, ConversationStatus, Message, MessageIdGenerator
from membus.core.identity import Id

router = ApiRouter()
ids = MessageIdGenerator()
USER_DESCRIPTION = "answer as this user would be answered; without, the tenant asks"
TURNS_DESCRIPTION = "so many at least: what no summary covers is handed on as well"
VERSION_DESCRIPTION = "an older version of the outline"
ActingUser = Annotated[Id | None, Query(alias="user_id", description=USER_DESCRIPTION)]
Turns = Annotated[int, Query(ge=1, le=HANDOFF_TURNS_MAX, description=TURNS_DESCRIPTION)]
CONVERSATION = "/v1/conversations/<conversation>"


@router.post("/v1/conversations", summary="Start a conversation", status_code=HTTPStatus.CREATED, **WRITE)
def post_conversation(asked: Annotated[ConversationIn, Body()], key: RequestKey = None) -> Conversation:
    request_key = require_idempotency_key(key)

    def start() -> Conversation:
        router.check_writable(asked.user_id, *asked.members)
        return start_conversation(
            asked,
            tenant=router.tenant,
            request_key=request_key,
            now=router.container.clock(),
            ids=ids,
            conversations=router.container.conversations.store,
        )

    body = asked.model_dump(mode="json")
    return router.run_once(
        "conversations.create", start, Conversation, key=request_key, body=body, natural=True
    )


@router.get("/v1/conversations", summary="Conversations by status, newest first", **READ)
def get_conversations(
    *,
    status: Annotated[ConversationStatus, Query(description="conversations of this status alone")] = "active",
    user: ActingUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConversationPage:
    return _visible(user).list_conversations(status, router.get_page(limit, cursor))


@router.get(CONVERSATION, summary="One conversation", **READ)
def get_conversation(conversation: PathId, user: ActingUser = None) -> Response[Conversation]:
    found = _visible(user).get_conversation(conversation)
    return with_etag(found, found.version)


@router.patch(CONVERSATION, summary="Rename, archive, bring back or share a conversation", **WRITE)
def patch_conversation(
    conversation: PathId,
    change: Annotated[ConversationPatch, Body()],
    user: ActingUser = None,
    if_match: IfMatch = None,
) -> Response[Conversation]:
    router.check_writable(*change.members or ())
    expected = expected_version(change.expected_version, if_match)
    patch = change.model_copy(update={"expected_version": expected})
    changed = _visible(user).change_conversation(conversation, patch)
    return with_etag(changed, changed.version)


@router.delete(
    CONVERSATION, summary="Delete a conversation and its messages", status_code=HTTPStatus.NO_CONTENT, **WRITE
)
def delete_conversation(conversation: PathId, user: ActingUser = None) -> Response[None]:
    store = router.container.conversations.store
    usecase.delete_conversation(router.tenant, conversation, user=user, conversations=store)
    return Response(HTTPStatus.NO_CONTENT)


@router.get(f"{CONVERSATION}/messages", summary="Messages, from either end", **READ)
def get_messages(
    *,
    conversation: PathId,
    order: Annotated[MessageOrder, Query(description="which come first")] = "oldest",
    user: ActingUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MessagePage:
    return _visible(user).list_messages(conversation, order, router.get_page(limit, cursor))


@router.get(f"{CONVERSATION}/messages/<message>", summary="One message, and whether it is complete", **READ)
def get_message(conversation: PathId, message: PathId, user: ActingUser = None) -> Message:
    found = _visible(user).get_conversation(conversation)
    return router.container.conversations.messages.get_message(found, message)


@router.get(f"{CONVERSATION}/handoff", summary="Everything needed to go on with a conversation", **READ)
def get_handoff(conversation: PathId, turns: Turns = 10, user: ActingUser = None) -> Handoff:
    return read_handoff(
        _visible(user),
        conversation,
        turns=turns,
        now=router.container.clock(),
        summaries=router.container.conversations.summaries,
        facts=router.container.facts.store,
    )


@router.get(f"{CONVERSATION}/summary", summary="Summaries, slots and their verification", **READ)
def get_summary(
    *,
    conversation: PathId,
    version: Annotated[int | None, Query(ge=1, description=VERSION_DESCRIPTION)] = None,
    user: ActingUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SummaryPage:
    return read_summary(
        _visible(user),
        conversation,
        version,
        page=router.get_page(limit, cursor),
        summaries=router.container.conversations.summaries,
    )


def _visible(user: str | None) -> VisibleConversations:
    store = router.container.conversations.store
    return VisibleConversations(router.tenant, user, router.hidden, store)
