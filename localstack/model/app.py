"""The model server as an ASGI app: the Anthropic door, the Bedrock door, and the door for tests.

The Anthropic Messages API.

`/v1/messages` as JSON or server-sent events, and `/v1/messages/count_tokens`.

Bedrock's InvokeModel, plain and streaming: Titan embeddings and the Messages API.

The door for tests: queue literal answers, forget them, and read what was received.

What the doors of the model server share: reading a body, logging the call, wording an error.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localstack.model.answers import GeneratedReply, LocalModel
from localstack.model.embeddings import MiniLmEmbedder, read_titan
from localstack.model.prompt_cache import input_tokens
from localstack.model.requests import (
    ANTHROPIC,
    BEDROCK,
    MessagesRequest,
    ModelServerError,
    PromptRequest,
    parse_request,
)
from localstack.model.responses import as_json, as_stream, event_stream, server_sent
from localstack.model.scripting import AnswerScript
from localstack.model.tokens import count

FAULT_HEADER = "x-membus-fault"
INPUT_KINDS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
Endpoint = Callable[[Request], Awaitable[Response]]


async def json_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as invalid:
        raise ModelServerError.invalid_request(f"The request body is not valid JSON: {invalid}") from invalid
    if not isinstance(body, dict):
        raise ModelServerError.invalid_request("The request body must be a JSON object")
    return body


def log_call(
    model: LocalModel, request: Request, body: dict[str, Any], *, usage: dict[str, Any], fault: str
) -> None:
    model.calls.add_call(
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
        reply = model.generate_reply(wanted, caller=caller, fault_header=request.headers.get(FAULT_HEADER))
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
            return JSONResponse(error.to_body() | {"request_id": request_id}, ANTHROPIC[error.kind], headers)

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
        raise ModelServerError.invalid_request("anthropic-version: header is required")
    return key


class BedrockApi:
    def __init__(self, model: LocalModel, embedder: MiniLmEmbedder) -> None:
        self._model, self._embedder = model, embedder
        self.invoke = bedrock_errors(self._invoke)
        self.stream = bedrock_errors(self._stream)

    async def _invoke(self, request: Request) -> Response:
        caller, body = _bedrock_caller(request), await json_body(request)
        if "inputText" in body:
            return await self._embed(request, body)
        reply = await self._reply(request, body, caller)
        return as_json(reply.message, reply.fault, _headers(reply.message["usage"]))

    async def _stream(self, request: Request) -> Response:
        caller, body = _bedrock_caller(request), await json_body(request)
        reply = await self._reply(request, body, caller)
        headers = {
            "content-type": "application/vnd.amazon.eventstream",
            "x-amzn-bedrock-content-type": "application/json",
            "x-amzn-requestid": str(uuid4()),
        }
        return as_stream(reply.message, reply.fault, event_stream, headers)

    async def _reply(self, request: Request, body: dict[str, Any], caller: str) -> GeneratedReply:
        wanted = parse_request(MessagesRequest, _messages_body(body, request.path_params["model_id"]))
        return await answer_request(self._model, request, body, wanted, caller)

    async def _embed(self, request: Request, body: dict[str, Any]) -> Response:
        wanted, tokens = read_titan(body), count(body["inputText"])
        fault = self._model.faults.pop_embedding_fault(request.headers.get(FAULT_HEADER), wanted.input_text)
        log_call(self._model, request, body, usage={"input_tokens": tokens}, fault=fault.name)
        fault.raise_if_error()
        await asyncio.sleep(fault.pause_seconds)
        vector = await run_in_threadpool(
            self._embedder.embed_texts, wanted.input_text, wanted.dimensions, normalize=wanted.normalize
        )
        answer = {"embedding": vector, "inputTextTokenCount": tokens, "embeddingsByType": {"float": vector}}
        return JSONResponse(answer, headers=_headers({"input_tokens": tokens, "output_tokens": 0}))


def _messages_body(body: dict[str, Any], model_id: str) -> dict[str, Any]:
    """Return the body as the Messages API takes it.

    On Bedrock the model and the streaming lie in the path.
    """
    if "anthropic_version" not in body:
        raise ModelServerError.invalid_request("anthropic_version: Field required")
    if extraneous := [key for key in ("model", "stream") if key in body]:
        raise ModelServerError.invalid_request(f"{extraneous[0]}: Extra inputs are not permitted")
    own = {"anthropic_version", "anthropic_beta"}
    return {key: value for key, value in body.items() if key not in own} | {"model": model_id}


def _headers(usage: dict[str, Any]) -> dict[str, str]:
    return {
        "x-amzn-requestid": str(uuid4()),
        "x-amzn-bedrock-input-token-count": str(usage["input_tokens"]),
        "x-amzn-bedrock-output-token-count": str(usage["output_tokens"]),
    }


def _bedrock_caller(request: Request) -> str:
    """Return who signed: the access key id of a SigV4 header, or the bearer key as it is."""
    authorization = request.headers.get("authorization", "")
    if not authorization:
        raise ModelServerError("authentication_error", "Missing Authentication Token")
    signed = re.search(r"Credential=([^/]+)/", authorization)
    return signed[1] if signed else authorization


class ScriptApi:
    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self.queue = anthropic_errors(self._queue)

    async def _queue(self, request: Request) -> Response:
        try:
            added = AnswerScript.model_validate(await json_body(request))
        except ValidationError as invalid:
            raise ModelServerError.invalid_request(str(invalid)) from invalid
        self._model.script.answers.extend(added.answers)
        return JSONResponse({"queued": len(self._model.script.answers)})

    async def delete_script(self, request: Request) -> Response:
        """Drop every queued answer and every recorded call."""
        self._model.script.answers.clear()
        self._model.calls.clear_calls()
        return Response(status_code=204)

    async def list_calls(self, request: Request) -> Response:
        """List the calls, oldest first; `match` keeps those whose body contains it."""
        return JSONResponse({"calls": self._model.calls.find_calls(request.query_params.get("match", ""))})


def create_app(cache: Path, *, lossy: float = 0.0) -> Starlette:
    """Build the server.

    `cache` is the folder that keeps the ONNX graph between starts, `lossy` what it forgets.
    """
    model = LocalModel(lossy=lossy)
    anthropic, bedrock, script = (
        AnthropicApi(model),
        BedrockApi(model, MiniLmEmbedder(cache)),
        ScriptApi(model),
    )
    return Starlette(
        routes=[
            Route("/health", _health),
            Route("/v1/messages", anthropic.messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", anthropic.count_tokens, methods=["POST"]),
            Route("/model/{model_id:path}/invoke", bedrock.invoke, methods=["POST"]),
            Route("/model/{model_id:path}/invoke-with-response-stream", bedrock.stream, methods=["POST"]),
            Route("/_script", script.queue, methods=["POST"]),
            Route("/_script", script.delete_script, methods=["DELETE"]),
            Route("/_calls", script.list_calls),
        ]
    )


async def _health(request: Request) -> Response:  # noqa: ARG001  starlette's signature
    return JSONResponse({"status": "ok"})
