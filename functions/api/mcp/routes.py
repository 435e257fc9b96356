"""`/v1/mcp/{user}`: a user's memory as an MCP server, for assistants that speak that protocol.

The path names the user and the key the tenant. A session does not exist: each request is answered by itself.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from functions.api.events.schemas import EventReceipt
from functions.api.events.usecase import EventDefaults, accept_events
from functions.api.mcp.protocol import (
    INVALID_REQUEST,
    PARSE_ERROR,
    JsonObject,
    RpcAnswer,
    RpcError,
    error_answer,
)
from functions.api.mcp.schemas import RpcAnswerOut
from functions.api.parameters import ANY_KEY, PathId
from functions.api.router import ApiRouter
from functions.api.search.routes import memory_searcher
from membus.core.errors import ForbiddenError, InvalidError
from membus.http import get_caller, json_response, parse_body
from membus.observability import EmfMonitor

if TYPE_CHECKING:
    from functions.api.mcp.tools import UserMemory


class PostOnlyError(InvalidError):
    """The path takes messages by POST; clients that ask for a stream or end a session expect a 405."""

    def __init__(self) -> None:
        super().__init__(
            "send messages by POST: there is no stream and no session", code="method_not_allowed"
        )


router = ApiRouter()
MCP = "/v1/mcp/<user>"
RPC_CONTENT: Any = {"application/json": {"model": RpcAnswerOut}}
ANSWERS: dict[int, OpenAPIResponse] = {
    HTTPStatus.OK: {"description": "The answer to a request", "content": RPC_CONTENT},
    HTTPStatus.ACCEPTED: {"description": "A notification was taken", "content": {}},
    HTTPStatus.BAD_REQUEST: {"description": "No message, or one that does not fit", "content": RPC_CONTENT},
    HTTPStatus.NOT_FOUND: {"description": "No such method, or nothing is known", "content": {}},
}
REFUSAL: dict[int, OpenAPIResponse] = {
    HTTPStatus.METHOD_NOT_ALLOWED: {"description": "Only POST is taken", "content": {}}
}


@router.post(
    MCP,
    summary="A user's memory as an MCP server: one JSON-RPC message in, one out",
    responses=ANSWERS,
    **ANY_KEY,
)
def post_mcp_message(user: PathId) -> Response[JsonObject | None]:
    # It builds the schemas of all tools as it is imported: every cold start of the API would take longer.
    from functions.api.mcp.server import McpServer  # noqa: PLC0415 - as said above

    headers = {name.lower(): value for name, value in router.current_event.headers.items()}
    _check_origin(headers)
    try:
        tree = parse_body(router.current_event.body or "")
    except InvalidError as error:
        return _respond(_unreadable(error))
    server = McpServer(get_caller(router).scopes, _open_memory(user))
    return _respond(server.answer_body(tree, headers))


@router.get(MCP, summary="405: this server sends nothing of its own accord", responses=REFUSAL, **ANY_KEY)
def get_mcp_stream(user: PathId) -> Response[None]:  # noqa: ARG001 - the route checks it
    raise PostOnlyError


@router.delete(MCP, summary="405: there is no session to end", responses=REFUSAL, **ANY_KEY)
def delete_mcp_session(user: PathId) -> Response[None]:  # noqa: ARG001 - the route checks it
    raise PostOnlyError


def _open_memory(user: str) -> "UserMemory":
    from functions.api.mcp.tools import UserMemory  # noqa: PLC0415 - as for the server

    container, now = router.container, router.container.clock()

    def record_event(event: JsonObject, request_key: str) -> EventReceipt:
        container.tenants.rate_limiter.check_rate(router.tenant, "events", 1)
        return accept_events(
            [event],
            EventDefaults(tenant=router.tenant, request_key=request_key, now=now),
            guard=container.erasure.guard,
            bus=container.events.bus,
            unprocessed=container.conversations.unprocessed,
            monitor=EmfMonitor(),
        )

    return UserMemory(
        owner=router.get_owner(user),
        now=now,
        facts=container.facts.store,
        recent=container.episodes.recent,
        searcher=lambda: memory_searcher(container, router.tenant),
        hidden=lambda: router.hidden,
        check_readable=lambda: router.check_visible(user),
        check_writable=lambda: router.check_writable(user),
        record_event=record_event,
    )


def _check_origin(headers: dict[str, str]) -> None:
    """Refuse a page of another site, which a browser sends here with somebody's key.

    Raises:
        ForbiddenError: `bad_origin`.
    """
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        raise ForbiddenError("requests from pages of other sites are not answered", code="bad_origin")


def _unreadable(error: InvalidError) -> RpcAnswer:
    code = PARSE_ERROR if error.code == "invalid_json" else INVALID_REQUEST
    return error_answer(RpcError(code, error.detail, {"code": error.code}), None, envelope=False)


def _respond(answer: RpcAnswer) -> Response[JsonObject | None]:
    if answer.body is None:
        return Response(answer.status)
    return json_response(answer.body, status=answer.status)
