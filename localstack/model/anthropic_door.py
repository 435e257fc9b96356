"""The Anthropic Messages API.

`/v1/messages` as JSON or server-sent events, and `/v1/messages/count_tokens`.
"""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localstack.model.delivery import as_json, as_stream
from localstack.model.door import answer_request, anthropic_errors, json_body
from localstack.model.errors import ModelServerError
from localstack.model.events import server_sent
from localstack.model.model import LocalModel
from localstack.model.request import MessagesRequest, PromptRequest, parse_request
from localstack.model.segments import input_tokens


class AnthropicApi:
    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self.messages = anthropic_errors(self._messages)
        self.count_tokens = anthropic_errors(self._count_tokens)

    async def _messages(self, request: Request) -> Response:
        caller = _anthropic_caller(request)
        body = await json_body(request)
        wanted = parse_request(MessagesRequest, body)
        reply = await answer_request(self._model, request, body, wanted, caller)
        headers = {"request-id": f"req_{uuid4().hex[:24]}"}
        if wanted.stream:
            streaming = headers | {
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-cache",
            }
            return as_stream(reply.message, reply.fault, server_sent, streaming)
        return as_json(reply.message, reply.fault, headers)

    async def _count_tokens(self, request: Request) -> Response:
        _anthropic_caller(request)
        prompt = parse_request(PromptRequest, await json_body(request))
        return JSONResponse({"input_tokens": input_tokens(prompt)})


def _anthropic_caller(request: Request) -> str:
    """Return the credential; any is accepted, none is not, as with the version header."""
    key = request.headers.get("x-api-key") or request.headers.get("authorization")
    if not key:
        raise ModelServerError("authentication_error", "x-api-key header is required")
    if "anthropic-version" not in request.headers:
        raise ModelServerError.invalid("anthropic-version: header is required")
    return key
