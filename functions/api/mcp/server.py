"""The methods of the MCP server, for one caller and one user."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

from functions.api.mcp.protocol import (
    ENVELOPE_VERSIONS,
    HANDSHAKE_VERSIONS,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    JsonObject,
    RpcAnswer,
    RpcError,
    RpcMessage,
    check_envelope,
    choose_version,
    error_answer,
    has_envelope,
    parse_message,
    result_answer,
)
from functions.api.mcp.texts import GUIDE, INSTRUCTIONS
from functions.api.mcp.tools import READ_SCOPE, TOOLS, UserMemory, get_profile_text
from membus.core.errors import MembusError

SERVER = {"name": "membus", "title": "membus memory", "version": "1"}
CAPABILITIES: JsonObject = {"prompts": {}, "resources": {}, "tools": {}}
PROFILE = {
    "uri": "membus://profile",
    "name": "profile",
    "title": "What is known about the user",
    "description": "Current facts about the user, one a line: key, value, and since when it holds.",
    "mimeType": "text/plain",
}
PROMPT = {
    "name": "use_memory",
    "title": "How to use the memory",
    "description": "Explains when to look something up in the user's memory, and what to keep, correct or forget.",
}
Method = Callable[[JsonObject], JsonObject]


@dataclass(frozen=True)
class McpServer:
    """Answers for a key with `scopes`; `memory` is the one user's, whom the request names."""

    scopes: frozenset[str]
    memory: UserMemory

    def answer_body(self, tree: object, headers: Mapping[str, str]) -> RpcAnswer:
        """Return the answer to the message in a body; names of headers are in lower case."""
        message, envelope = None, False
        try:
            message = parse_message(tree)
            envelope = has_envelope(headers)
            if message.id is None:
                return RpcAnswer(HTTPStatus.ACCEPTED, None)
            if envelope:
                check_envelope(message, headers)
            return result_answer(message, self._run(message, envelope=envelope), envelope=envelope)
        except RpcError as error:
            return error_answer(error, message, envelope=envelope)

    def _run(self, message: RpcMessage, *, envelope: bool) -> JsonObject:
        methods = self._methods | (self._envelope_methods if envelope else self._handshake_methods)
        if message.method not in methods:
            raise RpcError(METHOD_NOT_FOUND, f"there is no method {message.method}")
        return methods[message.method](message.params)

    @cached_property
    def _methods(self) -> dict[str, Method]:
        return {
            "tools/list": lambda _: {
                "tools": [tool.to_json() for tool in TOOLS if tool.scope in self.scopes]
            },
            "tools/call": self._call_tool,
            "resources/list": lambda _: {"resources": [PROFILE] if READ_SCOPE in self.scopes else []},
            "resources/templates/list": lambda _: {"resourceTemplates": []},
            "resources/read": self._read_resource,
            "prompts/list": lambda _: {"prompts": [PROMPT]},
            "prompts/get": _get_prompt,
        }

    @cached_property
    def _handshake_methods(self) -> dict[str, Method]:
        return {"initialize": _initialize, "ping": lambda _: {}}

    @cached_property
    def _envelope_methods(self) -> dict[str, Method]:
        return {"server/discover": _discover}

    def _call_tool(self, params: JsonObject) -> JsonObject:
        """Run a tool; what it refuses is a result that the model reads, an unknown tool is the client's error."""
        tool = next((each for each in TOOLS if each.name == params.get("name")), None)
        if tool is None:
            raise RpcError(INVALID_PARAMS, f"unknown tool: {params.get('name')}")
        arguments = params.get("arguments")
        try:
            text = tool.run({} if arguments is None else arguments, self.memory, self.scopes)
        except MembusError as error:
            return _tool_error(error)
        return {"content": [_text(text)], "isError": False}

    def _read_resource(self, params: JsonObject) -> JsonObject:
        uri = params.get("uri")
        if uri != PROFILE["uri"] or READ_SCOPE not in self.scopes:
            raise RpcError(INVALID_PARAMS, "there is no such resource for this key", {"uri": uri})
        try:
            text = get_profile_text(self.memory)
        except MembusError as error:
            raise RpcError(INVALID_PARAMS, f"{error.code}: {error.detail}", {"uri": uri}) from error
        return {"contents": [{"uri": uri, "mimeType": PROFILE["mimeType"], "text": text}]}


def _initialize(params: JsonObject) -> JsonObject:
    return {
        "protocolVersion": choose_version(params.get("protocolVersion")),
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }


def _discover(_: JsonObject) -> JsonObject:
    return {
        "supportedVersions": [*HANDSHAKE_VERSIONS, *ENVELOPE_VERSIONS],
        "capabilities": CAPABILITIES,
        "instructions": INSTRUCTIONS,
        "_meta": {"io.modelcontextprotocol/serverInfo": SERVER},
    }


def _get_prompt(params: JsonObject) -> JsonObject:
    if params.get("name") != PROMPT["name"]:
        raise RpcError(INVALID_PARAMS, f"unknown prompt: {params.get('name')}")
    return {"description": PROMPT["description"], "messages": [{"role": "user", "content": _text(GUIDE)}]}


def _tool_error(error: MembusError) -> JsonObject:
    """Return a refusal with its stable code and what to do about it."""
    told: dict[str, Any] = {"code": error.code, "detail": error.detail}
    retry = getattr(error, "retry_after_seconds", None)
    if retry is not None:
        told["retry_after_seconds"] = retry
    advice = _ADVICE.get(error.code) or (f"Try again in {retry} seconds." if retry is not None else "")
    text = f"{error.code}: {error.detail}. {advice}".strip()
    return {"content": [_text(text)], "structuredContent": {"error": told}, "isError": True}


_ADVICE = {
    "budget_exhausted": "Go on without it: the budget of today is spent until midnight, UTC.",
    "conflict": "Somebody else changed it at the same time: look it up again, then decide.",
    "erased": "Do not send it again.",
    "erasing": "The user is being erased: keep nothing of them.",
    "invalid": "Correct the arguments and call the tool again.",
    "not_found": "Call get_profile to see which keys there are.",
    "payload_too_large": "Send less text, only what is worth keeping.",
    "scope_missing": "Do not call this tool again: the operator gave this connection fewer rights.",
}


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}
