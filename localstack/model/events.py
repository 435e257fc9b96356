"""A finished message as the events the real API streams it in, and the two ways of framing them."""

import base64
import json
import re
import struct
from collections.abc import Iterator
from typing import Any
from zlib import crc32

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
