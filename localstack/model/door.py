"""What the doors of the model server share: reading a body, logging the call, wording an error."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localstack.model.errors import ANTHROPIC, BEDROCK, ModelServerError
from localstack.model.model import GeneratedReply, LocalModel
from localstack.model.request import MessagesRequest

FAULT_HEADER = "x-membus-fault"
INPUT_KINDS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
Endpoint = Callable[[Request], Awaitable[Response]]


async def json_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as invalid:
        raise ModelServerError.invalid(f"The request body is not valid JSON: {invalid}") from invalid
    if not isinstance(body, dict):
        raise ModelServerError.invalid("The request body must be a JSON object")
    return body


def log_call(
    model: LocalModel, request: Request, body: dict[str, Any], *, usage: dict[str, Any], fault: str
) -> None:
    model.calls.add(
        method=request.method,
        path=request.url.path,
        model=body.get("model") or request.path_params.get("model_id"),
        input_tokens=sum(usage.get(key, 0) for key in INPUT_KINDS),
        output_tokens=usage.get("output_tokens", 0),
        fault=fault,
        body=body,
    )


async def answer_request(
    model: LocalModel, request: Request, body: dict[str, Any], wanted: MessagesRequest, caller: str
) -> GeneratedReply:
    """Let the model answer, log the call whatever came of it, and take the time a slow answer takes."""
    try:
        reply = model.reply(wanted, caller=caller, fault_header=request.headers.get(FAULT_HEADER))
    except ModelServerError as error:
        log_call(model, request, body, usage={}, fault=error.kind)
        raise
    log_call(model, request, body, usage=reply.message["usage"], fault=reply.fault.name)
    await asyncio.sleep(reply.fault.pause_seconds)
    return reply


def anthropic_errors(endpoint: Endpoint) -> Endpoint:
    """Word what the endpoint raises as the Anthropic API does."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ModelServerError as error:
            request_id = f"req_{uuid4().hex[:24]}"
            headers = {"request-id": request_id, **error.headers}
            return JSONResponse(error.body() | {"request_id": request_id}, ANTHROPIC[error.kind], headers)

    return guarded


def bedrock_errors(endpoint: Endpoint) -> Endpoint:
    """Word what the endpoint raises as Bedrock does."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ModelServerError as error:
            status, name = BEDROCK[error.kind]
            headers = {"x-amzn-errortype": name, "x-amzn-requestid": str(uuid4()), **error.headers}
            return JSONResponse({"message": error.message}, status, headers)

    return guarded
