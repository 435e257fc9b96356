"""How an answer travels: as JSON or as a stream, whole or broken by the fault that was asked for."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localstack.model.errors import ModelServerError
from localstack.model.events import Event, events_of
from localstack.model.faults import Fault

Framing = Callable[[Event], bytes]


class TornResponse(Response):
    """Sends part of what it promised and returns: the server then closes the connection."""

    def __init__(self, part: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        raw = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": self._part, "more_body": True})


def as_json(message: dict[str, Any], fault: Fault, headers: Mapping[str, str]) -> Response:
    if fault.name in {"cut", "drop"}:
        whole = json.dumps(message).encode()
        return TornResponse(whole[: len(whole) // 2], {**headers, "content-type": "application/json"})
    if fault.name == "error_event":
        raise ModelServerError("api_error", "Internal server error")
    return JSONResponse(message, headers=headers)


def as_stream(
    message: dict[str, Any], fault: Fault, framing: Framing, headers: Mapping[str, str]
) -> Response:
    """Stream the message; `headers` name the content type that belongs to the framing."""
    events = list(events_of(message))
    if fault.name == "drop":
        return TornResponse(b"".join(map(framing, _first_half(events))), headers)
    if fault.name == "cut":
        events = _first_half(events)
    if fault.name == "error_event":
        overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        events = [*_first_half(events), overloaded]
    return StreamingResponse(_frames(events, framing), headers=headers)


def _first_half(events: list[Event]) -> list[Event]:
    """Return up to half of the deltas and what came before them."""
    deltas = [place for place, event in enumerate(events) if event["type"] == "content_block_delta"]
    return events[: deltas[len(deltas) // 2] + 1] if deltas else events[:1]


async def _frames(events: Iterable[Event], framing: Framing) -> Any:
    for event in events:
        yield framing(event)
