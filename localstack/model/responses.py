"""How an answer is sent: as JSON or as a stream, whole or broken by a fault."""

import base64
import json
import re
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localstack.model.requests import ModelServerError
from localstack.model.scripting import Fault

Event = dict[str, Any]
Encoder = Callable[[Event], bytes]
DELTA_WORDS = re.compile(r"\S+\s*\S*\s*|\s+")  # two words a delta


class TruncatedResponse(Response):
    """Sends a part of what it announced; the server then closes the connection."""

    def __init__(self, part: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": self._part, "more_body": True})


def respond_json(message: dict[str, Any], fault: Fault, headers: Mapping[str, str]) -> Response:
    if fault.name in {"cut", "drop"}:
        whole = json.dumps(message).encode()
        return TruncatedResponse(whole[: len(whole) // 2], {**headers, "content-type": "application/json"})
    if fault.name == "error_event":
        raise ModelServerError("api_error", "Internal server error")
    return JSONResponse(message, headers=headers)


def respond_stream(
    message: dict[str, Any], fault: Fault, encode: Encoder, headers: Mapping[str, str]
) -> Response:
    """Stream the message; `headers` name the content type of the encoding."""
    events = list(_list_events(message))
    if fault.name in {"cut", "drop", "error_event"}:
        deltas = [place for place, event in enumerate(events) if event["type"] == "content_block_delta"]
        events = events[: deltas[len(deltas) // 2] + 1] if deltas else events[:1]
    if fault.name == "drop":
        return TruncatedResponse(b"".join(map(encode, events)), headers)
    if fault.name == "error_event":
        events.append({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    return StreamingResponse(_encode_all(events, encode), headers=headers)


async def _encode_all(events: Iterable[Event], encode: Encoder) -> AsyncIterator[bytes]:
    for event in events:
        yield encode(event)


def encode_sse(event: Event) -> bytes:
    """Encode an event as the Anthropic API does: as a server-sent event."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def encode_aws_event(event: Event) -> bytes:
    """Encode an event as Bedrock does: an AWS event-stream message around the base64 of its JSON."""
    if event["type"] == "error":
        return _encode_message(
            {":exception-type": "modelStreamErrorException", ":message-type": "exception"}, event["error"]
        )
    encoded = base64.b64encode(json.dumps(event, ensure_ascii=False).encode()).decode()
    return _encode_message({":event-type": "chunk", ":message-type": "event"}, {"bytes": encoded})


def _encode_message(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    """Encode lengths, their CRC, string headers (type 7), the JSON payload and the CRC of it all."""
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in (headers | {":content-type": "application/json"}).items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + body
    return message + struct.pack("!I", crc32(message))


def _list_events(message: dict[str, Any]) -> Iterator[Event]:
    """Yield the events in which the real API streams a message."""
    usage, ending = message["usage"], ("stop_reason", "stop_sequence", "stop_details")
    empty = message | {"content": [], "usage": usage | {"output_tokens": 1}} | dict.fromkeys(ending)
    yield {"type": "message_start", "message": empty}
    for index, block in enumerate(message["content"]):
        yield from _list_block_events(index, block)
    if not message["content"]:
        yield {"type": "ping"}
    counts = {key: value for key, value in usage.items() if key.endswith("_tokens")}
    yield {"type": "message_delta", "delta": {key: message[key] for key in ending}, "usage": counts}
    yield {"type": "message_stop"}


def _list_block_events(index: int, block: dict[str, Any]) -> Iterator[Event]:
    if block["type"] == "text":
        empty: Event = {"text": ""}
        deltas = [{"type": "text_delta", "text": words} for words in DELTA_WORDS.findall(block["text"])]
    else:
        empty = {"input": {}}
        words = DELTA_WORDS.findall(json.dumps(block["input"], ensure_ascii=False))
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", *words)]
    yield {"type": "content_block_start", "index": index, "content_block": block | empty}
    if index == 0:
        yield {"type": "ping"}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}
