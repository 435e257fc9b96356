"""The model server as an ASGI app: the Anthropic door, the Bedrock door, and the door for tests."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localstack.model.anthropic_door import AnthropicApi
from localstack.model.bedrock_door import BedrockApi
from localstack.model.embedder import MiniLmEmbedder
from localstack.model.model import LocalModel
from localstack.model.script_door import ScriptApi


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
            Route("/_script", script.forget, methods=["DELETE"]),
            Route("/_calls", script.calls),
        ]
    )


async def _health(request: Request) -> Response:  # noqa: ARG001  starlette's signature
    return JSONResponse({"status": "ok"})
