"""The Anthropic Messages API.

`/v1/messages` as JSON or server-sent events, and `/v1/messages/count_tokens`.
"""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localstack.model.delivery import as_json, as_stream
from localstack.model.door import answered, anthropic_errors, json_body
from localstack.model.errors import ModelError
from localstack.model.events import server_sent
from localstack.model.model import LocalModel
from localstack.model.request import MessagesRequest, Prompt, read
from localstack.model.segments import input_tokens


class AnthropicDoor:
    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self.messages = anthropic_errors(self._messages)
        self.count_tokens = anthropic_errors(self._count_tokens)

    async def _messages(self, request: Request) -> Response:
        caller = _caller(request)
        body = await json_body(request)
        wanted = read(MessagesRequest, body)
        reply = await answered(self._model, request, body, wanted, caller)
        headers = {"request-id": f"req_{uuid4().hex[:24]}"}
        if wanted.stream:
            streaming = headers | {
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-cache",
            }
            return as_stream(reply.message, reply.fault, server_sent, streaming)
        return as_json(reply.message, reply.fault, headers)

    async def _count_tokens(self, request: Request) -> Response:
        _caller(request)
        prompt = read(Prompt, await json_body(request))
        return JSONResponse({"input_tokens": input_tokens(prompt)})


def _caller(request: Request) -> str:
    """Return the credential; any is accepted, none is not, as with the version header."""
    key = request.headers.get("x-api-key") or request.headers.get("authorization")
    if not key:
        raise ModelError("authentication_error", "x-api-key header is required")
    if "anthropic-version" not in request.headers:
        raise ModelError.invalid("anthropic-version: header is required")
    return key
