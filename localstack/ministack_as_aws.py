"""Starts MiniStack with four things corrected; its own interpreter runs it, without our imports.

1. An authorizer that raises exactly `Unauthorized` makes AWS answer 401. MiniStack does so for REST APIs, but
   answers 500 for HTTP and WebSocket APIs: a wrong key would look like a broken gateway.
2. A browser that offers subprotocols closes the connection unless one is chosen. On AWS the function behind
   `$connect` chooses by a header of its answer; MiniStack drops that header.
3. A function that reads a table's stream names the changes that failed, and AWS delivers them again.
   MiniStack does so for queues, but takes a stream's failures for success, which would lose them.
4. Every execution environment of a function unpacks its layers anew: nine thousand files, two seconds of the
   emulator's processor. Here a layer is unpacked once. Environments share it, as `/opt` is read-only on AWS.
"""

import hashlib
import json
import shutil
import tempfile
import zipfile
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import apigateway, lambda_svc

AUTHORIZER_THREAD = "ministack-apigw-authorizer"
SUBPROTOCOL = "sec-websocket-protocol"
UNAUTHORIZED = 401, {"Content-Type": "application/json"}, b'{"message":"Unauthorized"}'

# MiniStack has no public way to change these.
_run = apigateway.run_reentrant
_authorize, _authorize_socket = apigateway._authorize_request_v2, apigateway._authorize_ws_connect  # noqa: SLF001
_invoke_socket, _serve_socket = apigateway._invoke_ws_lambda, apigateway.handle_websocket  # noqa: SLF001
_execute = lambda_svc._execute_function  # noqa: SLF001
_subprotocol: ContextVar[str | None] = ContextVar("subprotocol", default=None)


class _UnauthorizedError(Exception):
    pass


async def _run_or_refuse(function: Any, *args: Any, **options: Any) -> Any:
    result = await _run(function, *args, **options)
    if options.get("thread_name") == AUTHORIZER_THREAD and (result or {}).get("error"):
        body = result.get("body")
        if isinstance(body, dict) and body.get("errorMessage") == "Unauthorized":
            raise _UnauthorizedError
    return result


async def _authorize_or_401(*args: Any, **options: Any) -> Any:
    try:
        return await _authorize(*args, **options)
    except _UnauthorizedError:
        return UNAUTHORIZED, None


async def _authorize_socket_or_401(*args: Any, **options: Any) -> Any:
    try:
        return await _authorize_socket(*args, **options)
    except _UnauthorizedError:
        return (401, "Unauthorized"), None


async def _invoke_and_keep_subprotocol(*args: Any, **options: Any) -> Any:
    answer = await _invoke_socket(*args, **options)
    headers = (answer or {}).get("headers") or {}
    _subprotocol.set(next((value for name, value in headers.items() if name.lower() == SUBPROTOCOL), None))
    return answer


async def _serve_with_subprotocol(scope: Any, receive: Any, send: Any, *args: Any, **options: Any) -> None:
    async def send_chosen(message: dict[str, Any]) -> None:
        chosen = _subprotocol.get()
        if message["type"] == "websocket.accept" and chosen:
            message = {**message, "subprotocol": chosen}
        await send(message)

    await _serve_socket(scope, receive, send_chosen, *args, **options)


def _execute_or_fail(function: Any, event: Any, *args: Any, **options: Any) -> Any:
    """Run a function; a stream's batch with failures fails, so that all of it is delivered again."""
    result = _execute(function, event, *args, **options)
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[0].get("eventSource") != "aws:dynamodb":
        return result
    body = result.get("body")
    answer = json.loads(body) if isinstance(body, str | bytes) else body
    if isinstance(answer, dict) and answer.get("batchItemFailures"):
        failure = {"errorType": "batchItemFailures", "errorMessage": str(answer)}
        return result | {"error": True, "body": failure}
    return result


class _SharedLayerZip(zipfile.ZipFile):
    """Unpacks a layer once, and a function's own code as ever; the environment gets a link to the layer."""

    def extractall(self, path: Any = None, *args: Any, **options: Any) -> None:
        folder = Path(path)
        if not folder.name.startswith("layer_"):
            super().extractall(path, *args, **options)
            return
        content = repr([(each.filename, each.CRC) for each in self.infolist()]).encode()
        layer = Path(tempfile.gettempdir()) / f"layer-{hashlib.sha256(content).hexdigest()}"
        if not layer.exists():
            partial = Path(tempfile.mkdtemp(prefix=f"{layer.name}."))
            super().extractall(partial)
            try:
                partial.rename(layer)
            except OSError:  # another process of the emulator was faster
                if not layer.exists():
                    raise
                shutil.rmtree(partial)
        folder.rmdir()
        folder.symlink_to(layer)


if __name__ == "__main__":
    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=_SharedLayerZip, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )
    lambda_svc._execute_function = _execute_or_fail  # noqa: SLF001
    apigateway.run_reentrant = _run_or_refuse
    apigateway._authorize_request_v2 = _authorize_or_401  # noqa: SLF001
    apigateway._authorize_ws_connect = _authorize_socket_or_401  # noqa: SLF001
    apigateway._invoke_ws_lambda = _invoke_and_keep_subprotocol  # noqa: SLF001
    apigateway.handle_websocket = _serve_with_subprotocol
    main()
