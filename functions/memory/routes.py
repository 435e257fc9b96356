"""The routes of the data API: each parses, calls one use case and responds."""

from http import HTTPStatus
from pathlib import Path as File
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from pydantic import AwareDatetime

from functions.memory import conversations, facts
from functions.memory.api import (
    ConversationIn,
    ConversationPage,
    EventBatch,
    EventReceipt,
    FactHistory,
    FactPage,
    Health,
    MessagePage,
    ProfileOut,
)
from functions.memory.events import NothingAcceptedError, accept_events
from functions.memory.once import once, settings
from membus import wiring
from membus.domain.conversation import Conversation, MessageIds, Status
from membus.domain.facts import Fact, Kind
from membus.domain.identity import Id, Owner
from membus.errors import InvalidError
from membus.http import application, caller, problem, route

app = application()
ids = MessageIds()
READ, WRITE, EVENTS = (route("memory", scope) for scope in ("memory:read", "memory:write", "events:write"))
PUBLIC: dict[str, Any] = {"openapi_extensions": {"x-membus-function": "memory"}}
OPENAPI = File(__file__).with_name("openapi.json")

User = Annotated[Id, Path()]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=2048)]
Moment = Annotated[AwareDatetime | None, Query()]
RequestKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


@app.exception_handler(NothingAcceptedError)
def nothing_accepted(error: NothingAcceptedError) -> Response[str]:
    return problem(app, error.cause, **error.receipt.model_dump())


@app.post("/v1/events", summary="Record what users did", status_code=HTTPStatus.ACCEPTED, **EVENTS)
def post_events(batch: Annotated[EventBatch, Body()], key: RequestKey = None) -> EventReceipt:
    return accept_events(batch.events, tenant=caller(app).tenant, request_key=key, now=wiring.now(), bus=wiring.bus())


@app.get("/v1/users/<user>/profile", summary="What is known about a user, compact", **READ)
def get_profile(user: User, as_of: Moment = None) -> ProfileOut:
    return facts.read_profile(_owner(user), as_of, facts=wiring.facts())


@app.get("/v1/users/<user>/facts", summary="The facts about a user", **READ)
def get_facts(
    *,
    user: User,
    kind: Annotated[Kind | None, Query()] = None,
    as_of: Moment = None,
    known_at: Moment = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FactPage:
    if as_of or known_at:
        return facts.list_facts_then(_owner(user), kind=kind, true_at=as_of, known_at=known_at, facts=wiring.facts())
    return facts.list_facts(
        _owner(user), kind=kind, limit=limit, cursor=cursor, facts=wiring.facts(), sealer=wiring.sealer()
    )


@app.get("/v1/users/<user>/facts/<key>", summary="One fact", **READ)
def get_fact(user: User, key: Annotated[str, Path()]) -> Fact:
    return facts.read_fact(_owner(user), key, facts=wiring.facts())


@app.get("/v1/users/<user>/facts/<key>/history", summary="Every version of a fact and what caused it", **READ)
def get_history(user: User, key: Annotated[str, Path()]) -> FactHistory:
    return facts.read_history(_owner(user), key, facts=wiring.facts())


@app.post("/v1/conversations", summary="Start a conversation", status_code=HTTPStatus.CREATED, **WRITE)
def post_conversation(asked: Annotated[ConversationIn, Body()], key: RequestKey = None) -> Conversation:
    if key is None:
        raise InvalidError("send an Idempotency-Key: this request makes something new", code="idempotency_key_missing")
    start = once("conversations.create", _start, store=wiring.idempotency(), config=settings())
    made = start({"tenant": caller(app).tenant, "key": key, "body": asked.model_dump(mode="json")})
    return Conversation.model_validate(made)


@app.get("/v1/conversations", summary="Conversations by status, newest first", **READ)
def get_conversations(
    status: Annotated[Status, Query()] = "active", limit: Limit = 50, cursor: Cursor = None
) -> ConversationPage:
    return conversations.list_conversations(
        caller(app).tenant, status, limit=limit, cursor=cursor,
        conversations=wiring.conversations(), sealer=wiring.sealer(),
    )  # fmt: skip


@app.get("/v1/conversations/<conversation>", summary="One conversation", **READ)
def get_conversation(conversation: Annotated[Id, Path()]) -> Conversation:
    return wiring.conversations().conversation(caller(app).tenant, conversation)


@app.get("/v1/conversations/<conversation>/messages", summary="Messages, oldest first", **READ)
def get_messages(conversation: Annotated[Id, Path()], limit: Limit = 50, cursor: Cursor = None) -> MessagePage:
    return conversations.list_messages(
        caller(app).tenant, conversation, limit=limit, cursor=cursor,
        conversations=wiring.conversations(), sealer=wiring.sealer(),
    )  # fmt: skip


@app.get("/v1/health", summary="Whether the door is open", **PUBLIC)
def get_health() -> Health:
    return Health(status="ok", environment=wiring.environment())


@app.get("/v1/openapi.json", summary="This API, described", **PUBLIC)
def get_openapi() -> Response[str]:
    return Response(HTTPStatus.OK, content_type="application/json", body=OPENAPI.read_text(encoding="utf-8"))


def _owner(user: str) -> Owner:
    return Owner(tenant=caller(app).tenant, user=user)


def _start(request: dict[str, Any]) -> dict[str, Any]:
    started = conversations.start_conversation(
        ConversationIn.model_validate(request["body"]), tenant=request["tenant"], now=wiring.now(), ids=ids,
        conversations=wiring.conversations(),
    )  # fmt: skip
    return started.model_dump(mode="json")
