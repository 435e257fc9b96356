"""The Model Context Protocol over stateless HTTP: one JSON-RPC message in, one out, nothing kept between them.

Two eras are spoken: revisions with the `initialize` handshake, and those in which each request carries its
revision and the client's capabilities in `_meta`, mirrored in headers.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

HANDSHAKE_VERSIONS = ("2025-06-18", "2025-11-25")
"""Not 2025-03-26, whose servers must take batches, a means to amplify one request."""
ENVELOPE_VERSIONS = ("2026-07-28",)
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
VERSION_HEADER, METHOD_HEADER, NAME_HEADER = "mcp-protocol-version", "mcp-method", "mcp-name"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The parameter that the header `Mcp-Name` repeats, by method."""
CACHE_SECONDS = {
    "server/discover": 300,
    "tools/list": 300,
    "prompts/list": 300,
    "resources/list": 300,
    "resources/templates/list": 300,
    "resources/read": 0,
}
"""How long an answer of the method may be kept, for revisions in which answers say so."""
_ENCODED = re.compile(r"=\?base64\?(?P<payload>[A-Za-z0-9+/]*={0,2})\?=")

JsonObject = dict[str, Any]


class RpcError(Exception):
    """An error of the protocol itself, as opposed to one of a tool, which the model reads."""

    def __init__(self, code: int, message: str, data: JsonObject | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class RpcMessage(BaseModel):
    """A request, or without an id a notification; what else JSON-RPC knows is no message to a server."""

    model_config = ConfigDict(extra="ignore")

    jsonrpc: str = Field(pattern=r"^2\.0$")
    method: StrictStr
    id: StrictStr | StrictInt | None = None
    params: JsonObject = Field(default_factory=dict)


@dataclass(frozen=True)
class RpcAnswer:
    """What goes back: a message with its HTTP status, or none for a notification."""

    status: HTTPStatus
    body: JsonObject | None


def parse_message(tree: object) -> RpcMessage:
    """Return the one message of a body.

    Raises:
        RpcError: it is a batch, an answer, or no message at all.
    """
    if isinstance(tree, list):
        raise RpcError(INVALID_REQUEST, "batches are not taken: send one message in each request")
    if not isinstance(tree, dict) or ("id" in tree and tree["id"] is None):
        raise RpcError(INVALID_REQUEST, "the body is not one JSON-RPC request or notification")
    try:
        return RpcMessage.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RpcError(INVALID_REQUEST, f"no JSON-RPC 2.0 message: {where}: {first['msg']}") from error


def choose_version(offered: object) -> str:
    """Return the revision of a handshake: the client's where it is spoken, else the newest one."""
    return offered if isinstance(offered, str) and offered in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]


def has_envelope(headers: Mapping[str, str]) -> bool:
    """Return whether a request is of a revision without handshake; names of headers are in lower case.

    Raises:
        RpcError: its header names a revision that is not spoken. Without a header any client is served, since
            an answer depends on the request alone.
    """
    named = headers.get(VERSION_HEADER)
    if named is None or named in HANDSHAKE_VERSIONS:
        return False
    if named in ENVELOPE_VERSIONS:
        return True
    supported = [*HANDSHAKE_VERSIONS, *ENVELOPE_VERSIONS]
    known = {"supported": supported, "requested": named}
    raise RpcError(UNSUPPORTED_VERSION, f"unsupported protocol version; use one of {supported}", known)


def check_envelope(message: RpcMessage, headers: Mapping[str, str]) -> None:
    """Compare what a request says of itself with its headers, by which a proxy may have routed it.

    Raises:
        RpcError: the envelope is incomplete, or a header says something else.
    """
    meta = message.params.get("_meta")
    if not isinstance(meta, dict) or not {VERSION_KEY, CAPABILITIES_KEY} <= meta.keys():
        raise RpcError(INVALID_PARAMS, f"params._meta must hold {VERSION_KEY} and {CAPABILITIES_KEY}")
    if meta[VERSION_KEY] != headers.get(VERSION_HEADER):
        raise RpcError(HEADER_MISMATCH, "MCP-Protocol-Version differs from the version in params._meta")
    if headers.get(METHOD_HEADER) != message.method:
        raise RpcError(HEADER_MISMATCH, "Mcp-Method differs from the method of the body")
    named = message.params.get(NAMED_BY.get(message.method, ""))
    if named is not None and _decode_header(headers.get(NAME_HEADER, "")) != named:
        raise RpcError(HEADER_MISMATCH, f"Mcp-Name differs from params.{NAMED_BY[message.method]}")


def result_answer(message: RpcMessage, result: JsonObject, *, envelope: bool) -> RpcAnswer:
    """Return the answer to a request; answers with an envelope say their type and how long to keep them."""
    if envelope:
        result = {"resultType": "complete", **result}
        if message.method in CACHE_SECONDS:
            kept_ms = CACHE_SECONDS[message.method] * 1000
            result |= {"ttlMs": kept_ms, "cacheScope": "private"}  # it depends on the key and the user
    return RpcAnswer(HTTPStatus.OK, {"jsonrpc": "2.0", "id": message.id, "result": result})


def error_answer(error: RpcError, message: RpcMessage | None, *, envelope: bool) -> RpcAnswer:
    """Return the error: 200 for a well-formed request with a handshake, for which HTTP is a pipe, else 4xx."""
    told = {"code": error.code, "message": error.message} | ({"data": error.data} if error.data else {})
    body = {"jsonrpc": "2.0", "id": message.id if message else None, "error": told}
    return RpcAnswer(_error_status(error, message, envelope=envelope), body)


def _error_status(error: RpcError, message: RpcMessage | None, *, envelope: bool) -> HTTPStatus:
    if message is not None and not envelope and error.code != UNSUPPORTED_VERSION:
        return HTTPStatus.OK
    return HTTPStatus.NOT_FOUND if error.code == METHOD_NOT_FOUND else HTTPStatus.BAD_REQUEST


def _decode_header(value: str) -> str | None:
    """Return the text of a header, which is in Base64 where it is not plain ASCII; None where it is broken."""
    encoded = _ENCODED.fullmatch(value)
    if encoded is None:
        return value
    try:
        return base64.b64decode(encoded["payload"], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
