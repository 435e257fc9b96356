"""Bedrock's InvokeModel, plain and streaming: Titan embeddings and the Messages API."""

import asyncio
import re
from typing import Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localstack.model.delivery import as_json, as_stream
from localstack.model.door import FAULT_HEADER, answer_request, bedrock_errors, json_body, log_call
from localstack.model.embedder import MiniLmEmbedder
from localstack.model.errors import ModelServerError
from localstack.model.events import event_stream
from localstack.model.model import GeneratedReply, LocalModel
from localstack.model.request import MessagesRequest, parse_request
from localstack.model.titan import read_titan
from localstack.model.tokens import count


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
        fault = self._model.faults.due_for_embedding(request.headers.get(FAULT_HEADER), wanted.input_text)
        log_call(self._model, request, body, usage={"input_tokens": tokens}, fault=fault.name)
        fault.raise_if_error()
        await asyncio.sleep(fault.pause_seconds)
        vector = await run_in_threadpool(
            self._embedder.embed, wanted.input_text, wanted.dimensions, normalize=wanted.normalize
        )
        answer = {"embedding": vector, "inputTextTokenCount": tokens, "embeddingsByType": {"float": vector}}
        return JSONResponse(answer, headers=_headers({"input_tokens": tokens, "output_tokens": 0}))


def _messages_body(body: dict[str, Any], model_id: str) -> dict[str, Any]:
    """Return the body as the Messages API takes it.

    On Bedrock the model and the streaming lie in the path.
    """
    if "anthropic_version" not in body:
        raise ModelServerError.invalid("anthropic_version: Field required")
    if extraneous := [key for key in ("model", "stream") if key in body]:
        raise ModelServerError.invalid(f"{extraneous[0]}: Extra inputs are not permitted")
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
