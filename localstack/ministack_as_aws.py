"""Starts MiniStack with three things put right.

Run by the emulator's own interpreter, hence free of our imports.

An authorizer that raises exactly `Unauthorized` makes AWS answer 401. MiniStack does so for REST APIs, but
answers 500 for HTTP APIs, which would make a wrong key look like a broken gateway, and the same for WebSocket
APIs.

A browser that offers subprotocols hangs up unless one is chosen. On AWS the function behind `$connect`
chooses by the header of its answer; MiniStack drops that header.

A function that reads a table's stream names the changes that failed, and AWS delivers them again. MiniStack
does so for queues; a stream's failures it takes for success, which would lose them.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.app import main
from ministack.services import apigateway, lambda_svc

AUTHORIZER_THREAD = "ministack-apigw-authorizer"
SUBPROTOCOL = "sec-websocket-protocol"
UNAUTHORIZED = 401, {"Content-Type": "application/json"}, b'{"message":"Unauthorized"}'


class _UnauthorizedError(Exception):
    pass


_run, _authorize = apigateway.run_reentrant, apigateway._authorize_request_v2  # noqa: SLF001 - there is no public seam
_authorize_socket, _serve_socket = apigateway._authorize_ws_connect, apigateway.handle_websocket  # noqa: SLF001 - as above
_invoke_socket = apigateway._invoke_ws_lambda  # noqa: SLF001 - as above
_subprotocol: ContextVar[str | None] = ContextVar("subprotocol", default=None)


async def _run_or_refuse(function: Any, *args: Any, **options: Any) -> Any:
    result = await _run(function, *args, **options)
    if options.get("thread_name") == AUTHORIZER_THREAD and (result or {}).get("error"):
        body = result.get("body")
        if isinstance(body, dict) and body.get("errorMessage") == "Unauthorized":
            raise _UnauthorizedError
    return result


async def _authorize_socket_or_401(*args: Any, **options: Any) -> Any:
    try:
        return await _authorize_socket(*args, **options)
    except _UnauthorizedError:
        return (401, "Unauthorized"), None


async def _authorize_or_401(*args: Any, **options: Any) -> Any:
    try:
        return await _authorize(*args, **options)
    except _UnauthorizedError:
        return UNAUTHORIZED, None


async def _invoke_and_note(*args: Any, **options: Any) -> Any:
    answer = await _invoke_socket(*args, **options)
    headers = (answer or {}).get("headers") or {}
    _subprotocol.set(next((value for name, value in headers.items() if name.lower() == SUBPROTOCOL), None))
    return answer


async def _serve_with_subprotocol(scope: Any, receive: Any, send: Any, *args: Any, **options: Any) -> None:
    async def send_chosen(message: dict[str, Any]) -> None:
        chosen = _subprotocol.get()
        await send(
            {**message, "subprotocol": chosen}
            if message["type"] == "websocket.accept" and chosen
            else message
        )

    await _serve_socket(scope, receive, send_chosen, *args, **options)


_execute = lambda_svc._execute_function  # noqa: SLF001 - as above


def _execute_or_repeat(function: Any, event: Any, *args: Any, **options: Any) -> Any:
    """Run a function; a batch of a stream of which it names failures fails, so that all of it comes again."""
    result = _execute(function, event, *args, **options)
    records = event.get("Records") if isinstance(event, dict) else None
    if records and records[0].get("eventSource") == "aws:dynamodb":
        body = result.get("body")
        answer = json.loads(body) if isinstance(body, str | bytes) else body
        if isinstance(answer, dict) and answer.get("batchItemFailures"):
            return result | {
                "error": True,
                "body": {"errorType": "batchItemFailures", "errorMessage": str(answer)},
            }
    return result


if __name__ == "__main__":
    lambda_svc._execute_function = _execute_or_repeat  # noqa: SLF001 - as above
    apigateway.run_reentrant = _run_or_refuse
    apigateway._authorize_request_v2 = _authorize_or_401  # noqa: SLF001 - as above
    apigateway._authorize_ws_connect = _authorize_socket_or_401  # noqa: SLF001 - as above
    apigateway._invoke_ws_lambda = _invoke_and_note  # noqa: SLF001 - as above
    apigateway.handle_websocket = _serve_with_subprotocol
    main()
