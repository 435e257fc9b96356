"""The model server as an ASGI app: the Messages API, Bedrock's InvokeModel, and the routes for tests."""

import asyncio
import json
import re
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localstack.model.answers import LocalModel
from localstack.model.embeddings import MiniLmEmbedder, parse_titan_request
from localstack.model.prompt_cache import count_input_tokens
from localstack.model.requests import MessagesRequest, ModelServerError, PromptRequest, parse_request
from localstack.model.responses import encode_aws_event, encode_sse, respond_json, respond_stream
from localstack.model.scripting import AnswerScript, Fault
from localstack.model.tokens import count

FAULT_HEADER = "x-membus-fault"
INPUT_KINDS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
ANTHROPIC_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}
BEDROCK_ERRORS = {
    "invalid_request_error": (400, "ValidationException"),
    "authentication_error": (403, "AccessDeniedException"),
    "rate_limit_error": (429, "ThrottlingException"),
    "overloaded_error": (503, "ServiceUnavailableException"),
    "api_error": (500, "InternalServerException"),
}


def create_app() -> Starlette:
    server = ModelServer(LocalModel(), MiniLmEmbedder())
    routes = [
        Route("/health", server.get_health),
        Route("/v1/messages", server.post_message, methods=["POST"]),
        Route("/v1/messages/count_tokens", server.count_tokens, methods=["POST"]),
        Route("/model/{model_id:path}/invoke", server.invoke_model, methods=["POST"]),
        Route("/model/{model_id:path}/invoke-with-response-stream", server.invoke_stream, methods=["POST"]),
        Route("/_script", server.add_answers, methods=["POST"]),
        Route("/_script", server.clear_script, methods=["DELETE"]),
        Route("/_calls", server.list_calls),
    ]
    return Starlette(routes=routes, exception_handlers={ModelServerError: _error_response})


class ModelServer:
    def __init__(self, model: LocalModel, embedder: MiniLmEmbedder) -> None:
        self._model, self._embedder = model, embedder

    async def get_health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def post_message(self, request: Request) -> Response:
        caller = _anthropic_caller(request)
        body = await _read_body(request)
        wanted = parse_request(MessagesRequest, body)
        message, fault = await self._reply(request, body, wanted, caller)
        headers = {"request-id": _new_request_id()}
        if not wanted.stream:
            return respond_json(message, fault, headers)
        stream = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        return respond_stream(message, fault, encode_sse, headers | stream)

    async def count_tokens(self, request: Request) -> Response:
        _anthropic_caller(request)
        prompt = parse_request(PromptRequest, await _read_body(request))
        return JSONResponse({"input_tokens": count_input_tokens(prompt)})

    async def invoke_model(self, request: Request) -> Response:
        caller, body = _bedrock_caller(request), await _read_body(request)
        if "inputText" in body:
            return await self._embed(request, body)
        message, fault = await self._reply(request, body, _bedrock_request(request, body), caller)
        return respond_json(message, fault, _bedrock_headers(message["usage"]))

    async def invoke_stream(self, request: Request) -> Response:
        caller, body = _bedrock_caller(request), await _read_body(request)
        message, fault = await self._reply(request, body, _bedrock_request(request, body), caller)
        headers = {
            "content-type": "application/vnd.amazon.eventstream",
            "x-amzn-bedrock-content-type": "application/json",
            "x-amzn-requestid": str(uuid4()),
        }
        return respond_stream(message, fault, encode_aws_event, headers)

    async def add_answers(self, request: Request) -> Response:
        try:
            added = AnswerScript.model_validate(await _read_body(request))
        except ValidationError as invalid:
            raise ModelServerError.invalid_request(str(invalid)) from invalid
        self._model.script.answers.extend(added.answers)
        return JSONResponse({"queued": len(self._model.script.answers)})

    async def clear_script(self, request: Request) -> Response:
        """Drop every queued answer and every recorded call."""
        self._model.script.answers.clear()
        self._model.calls.clear_calls()
        return Response(status_code=204)

    async def list_calls(self, request: Request) -> Response:
        """List the calls, oldest first; `match` keeps those whose body contains it."""
        return JSONResponse({"calls": self._model.calls.find_calls(request.query_params.get("match", ""))})

    async def _reply(
        self, request: Request, body: dict[str, Any], wanted: MessagesRequest, caller: str
    ) -> tuple[dict[str, Any], Fault]:
        """Answer, log the call whether or not it failed, and pause as long as a slow answer takes."""
        try:
            message, fault = self._model.generate_reply(
                wanted, caller=caller, fault_header=request.headers.get(FAULT_HEADER)
            )
        except ModelServerError as error:
            self._log_call(request, body, usage={}, fault=error.kind)
            raise
        self._log_call(request, body, usage=message["usage"], fault=fault.name)
        await asyncio.sleep(fault.pause_seconds)
        return message, fault

    async def _embed(self, request: Request, body: dict[str, Any]) -> Response:
        wanted, tokens = parse_titan_request(body), count(body["inputText"])
        fault = self._model.faults.pop_embedding_fault(request.headers.get(FAULT_HEADER), wanted.input_text)
        usage = {"input_tokens": tokens, "output_tokens": 0}
        self._log_call(request, body, usage=usage, fault=fault.name)
        fault.raise_if_error()
        await asyncio.sleep(fault.pause_seconds)
        vector = await run_in_threadpool(
            self._embedder.embed_text, wanted.input_text, wanted.dimensions, normalize=wanted.normalize
        )
        answer = {"embedding": vector, "inputTextTokenCount": tokens, "embeddingsByType": {"float": vector}}
        return JSONResponse(answer, headers=_bedrock_headers(usage))

    def _log_call(self, request: Request, body: dict[str, Any], *, usage: dict[str, Any], fault: str) -> None:
        self._model.calls.add_call(
            method=request.method,
            path=request.url.path,
            model=body.get("model") or request.path_params.get("model_id"),
            input_tokens=sum(usage.get(key, 0) for key in INPUT_KINDS),
            output_tokens=usage.get("output_tokens", 0),
            fault=fault,
            body=body,
        )


async def _error_response(request: Request, error: Exception) -> Response:
    """Word an error as the API does that the path belongs to."""
    if not isinstance(error, ModelServerError):
        raise error
    if request.url.path.startswith("/model/"):
        status, name = BEDROCK_ERRORS[error.kind]
        headers = {"x-amzn-errortype": name, "x-amzn-requestid": str(uuid4())}
        return JSONResponse({"message": error.message}, status, headers | error.headers)
    request_id = _new_request_id()
    body = {
        "type": "error",
        "error": {"type": error.kind, "message": error.message},
        "request_id": request_id,
    }
    return JSONResponse(body, ANTHROPIC_STATUS[error.kind], {"request-id": request_id, **error.headers})


def _new_request_id() -> str:
    return f"req_{uuid4().hex[:24]}"


async def _read_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as invalid:
        raise ModelServerError.invalid_request(f"The request body is not valid JSON: {invalid}") from invalid
    if not isinstance(body, dict):
        raise ModelServerError.invalid_request("The request body must be a JSON object")
    return body


def _anthropic_caller(request: Request) -> str:
    """Return the credential; any is accepted, none is refused, as is a missing version header."""
    key = request.headers.get("x-api-key") or request.headers.get("authorization")
    if not key:
        raise ModelServerError("authentication_error", "x-api-key header is required")
    if "anthropic-version" not in request.headers:
        raise ModelServerError.invalid_request("anthropic-version: header is required")
    return key


def _bedrock_caller(request: Request) -> str:
    """Return who signed: the access key id of a SigV4 header, or the bearer key as it is."""
    authorization = request.headers.get("authorization", "")
    if not authorization:
        raise ModelServerError("authentication_error", "Missing Authentication Token")
    signed = re.search(r"Credential=([^/]+)/", authorization)
    return signed[1] if signed else authorization


def _bedrock_request(request: Request, body: dict[str, Any]) -> MessagesRequest:
    """Return a body of Bedrock as a Messages request: on Bedrock the path names model and streaming."""
    if "anthropic_version" not in body:
        raise ModelServerError.invalid_request("anthropic_version: Field required")
    if extraneous := [key for key in ("model", "stream") if key in body]:
        raise ModelServerError.invalid_request(f"{extraneous[0]}: Extra inputs are not permitted")
    own = {"anthropic_version", "anthropic_beta"}
    plain = {key: value for key, value in body.items() if key not in own}
    return parse_request(MessagesRequest, plain | {"model": request.path_params["model_id"]})


def _bedrock_headers(usage: dict[str, Any]) -> dict[str, str]:
    return {
        "x-amzn-requestid": str(uuid4()),
        "x-amzn-bedrock-input-token-count": str(usage["input_tokens"]),
        "x-amzn-bedrock-output-token-count": str(usage["output_tokens"]),
    }
