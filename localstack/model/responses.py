"""How an answer travels: as JSON or as a stream, whole or broken by the fault that was asked for.

A finished message as the events the real API streams it in, and the two ways of framing them.
"""

import base64
import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localstack.model.requests import ModelServerError
from localstack.model.scripting import Fault

Event = dict[str, Any]
DELTA_CHARACTERS = re.compile(r"\S+\s*\S*\s*|\s+")  # two words a delta


def events_of(message: dict[str, Any]) -> Iterator[Event]:
    usage = message["usage"]
    opened = message | {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    yield {"type": "message_start", "message": opened | {"usage": usage | {"output_tokens": 1}}}
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
    if not message["content"]:
        yield {"type": "ping"}
    ending = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    counted = {key: value for key, value in usage.items() if key.endswith("_tokens")}
    yield {"type": "message_delta", "delta": ending, "usage": counted}
    yield {"type": "message_stop"}


def _block_events(index: int, block: dict[str, Any]) -> Iterator[Event]:
    is_text = block["type"] == "text"
    emptied: Event = {"text": ""} if is_text else {"input": {}}
    opened = block | emptied
    yield {"type": "content_block_start", "index": index, "content_block": opened}
    if index == 0:
        yield {"type": "ping"}
    for delta in _text_deltas(block["text"]) if is_text else _input_deltas(block["input"]):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _text_deltas(text: str) -> Iterator[Event]:
    for piece in DELTA_CHARACTERS.findall(text):
        yield {"type": "text_delta", "text": piece}


def _input_deltas(arguments: dict[str, Any]) -> Iterator[Event]:
    yield {"type": "input_json_delta", "partial_json": ""}
    for piece in DELTA_CHARACTERS.findall(json.dumps(arguments, ensure_ascii=False)):
        yield {"type": "input_json_delta", "partial_json": piece}


def server_sent(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def event_stream(event: Event) -> bytes:
    """Frame an event as Bedrock does: an AWS event-stream message around the base64 of its JSON."""
    if event["type"] == "error":
        return _frame(
            {":exception-type": "modelStreamErrorException", ":message-type": "exception"}, event["error"]
        )
    encoded = base64.b64encode(json.dumps(event, ensure_ascii=False).encode()).decode()
    return _frame({":event-type": "chunk", ":message-type": "event"}, {"bytes": encoded})


def _frame(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    """Encode lengths, their CRC, string headers (type 7), the JSON payload and the CRC of it all."""
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in (headers | {":content-type": "application/json"}).items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + body
    return message + struct.pack("!I", crc32(message))


Framing = Callable[[Event], bytes]


class TornResponse(Response):
    """Sends part of what it promised and returns: the server then closes the connection."""

    def __init__(self, part: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
