"""`/v1/mcp/{user}`: the Model Context Protocol over stateless HTTP, in both of its eras."""

import base64
import hashlib
import json
import subprocess
import sys
from typing import Any

import pytest

from functions.api.mcp.tools import TOOLS
from tests.factories import ADA, an_observation, learn
from tests.support.api_client import ApiTestClient
from tests.support.mcp_calls import McpTestClient

NAMES = [
    "correct_fact",
    "forget",
    "get_context",
    "get_profile",
    "list_recent",
    "remember",
    "search_memory",
]
TOOLS_DIGEST = "ccd8d1de715a90f4ba66d639492b6c0196d4276b25fbc4e9137155e08660abe0"
"""Of `tools/list` for a key with all rights: these bytes begin every cached prompt of a client."""


@pytest.fixture
def mcp(door: ApiTestClient) -> McpTestClient:
    return McpTestClient(door)


def code(answer: dict[str, Any]) -> int:
    found: int = answer["error"]["code"]
    return found


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-11-25"),
        ("2030-01-01", "2025-11-25"),
        (None, "2025-11-25"),
    ],
)
def test_a_handshake_agrees_on_a_version(mcp: McpTestClient, offered: str | None, spoken: str) -> None:
    told = mcp.result(
        "initialize", protocolVersion=offered, capabilities={}, clientInfo={"name": "t", "version": "1"}
    )

    assert told["protocolVersion"] == spoken
    assert set(told["capabilities"]) == {"tools", "resources", "prompts"}
    assert told["serverInfo"]["name"] == "membus"
    assert "get_context" in told["instructions"]


def test_ping_is_answered_with_nothing(mcp: McpTestClient) -> None:
    assert mcp.ask("ping") == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize("request_id", ["a", 0, -3])
def test_an_answer_carries_the_id_of_its_request(mcp: McpTestClient, request_id: str | int) -> None:
    answer = mcp.post({"jsonrpc": "2.0", "id": request_id, "method": "ping"})

    assert answer.json["id"] == request_id


def test_tools_are_listed_by_name_and_say_what_they_change(mcp: McpTestClient) -> None:
    tools = {tool["name"]: tool for tool in mcp.result("tools/list")["tools"]}

    assert list(tools) == NAMES
    reading = {name for name, tool in tools.items() if tool["annotations"]["readOnlyHint"]}
    assert reading == {"get_context", "get_profile", "list_recent", "search_memory"}
    assert tools["forget"]["annotations"]["destructiveHint"]
    assert not tools["correct_fact"]["annotations"]["destructiveHint"]
    assert tools["remember"]["annotations"]["idempotentHint"]
    for tool in tools.values():
        assert tool["inputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["description"].endswith(".")
        assert tool["title"]


def test_no_tool_takes_a_user(mcp: McpTestClient) -> None:
    text = json.dumps(mcp.result("tools/list"))

    assert "user_id" not in text
    assert "tenant" not in text


def test_the_list_of_tools_has_stable_bytes(mcp: McpTestClient) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    first, second = mcp.post(body).text, mcp.post(body).text

    assert first == second
    assert hashlib.sha256(first.encode()).hexdigest() == TOOLS_DIGEST


@pytest.mark.parametrize(
    ("scopes", "names"),
    [
        (("memory:read",), ["get_context", "get_profile", "list_recent", "search_memory"]),
        (("events:write",), ["remember"]),
        (("memory:write",), ["correct_fact", "forget"]),
        (("chat",), []),
    ],
)
def test_a_key_sees_the_tools_that_it_may_use(
    mcp: McpTestClient, scopes: tuple[str, ...], names: list[str]
) -> None:
    mcp.door.scopes = scopes

    assert [tool["name"] for tool in mcp.result("tools/list")["tools"]] == names
    assert len(mcp.result("resources/list")["resources"]) == ("memory:read" in scopes)
    hidden = next(tool for tool in TOOLS if tool.name not in names)
    assert mcp.refusal(hidden.name)["code"] == "scope_missing"


def test_a_request_without_a_credential_is_401(mcp: McpTestClient) -> None:
    mcp.door.tenant = None

    answer = mcp.post({"jsonrpc": "2.0", "id": 1, "method": "ping"})

    assert (answer.status, answer.code) == (401, "unauthorized")


def test_the_profile_is_a_resource(mcp: McpTestClient) -> None:
    learn(mcp.door.facts, ADA, an_observation("Lisbon"))

    (resource,) = mcp.result("resources/list")["resources"]
    (content,) = mcp.result("resources/read", uri=resource["uri"])["contents"]

    assert content["uri"] == "membus://profile"
    assert "home.city: Lisbon" in content["text"]
    assert mcp.result("resources/templates/list") == {"resourceTemplates": []}


def test_an_unknown_resource_and_one_beyond_the_key_look_the_same(mcp: McpTestClient) -> None:
    unknown = mcp.ask("resources/read", uri="membus://secrets")
    mcp.door.scopes = ("chat",)
    hidden = mcp.ask("resources/read", uri="membus://profile")

    assert code(unknown) == code(hidden) == -32602
    assert unknown["error"]["message"] == hidden["error"]["message"]


def test_the_prompt_explains_the_tools(mcp: McpTestClient) -> None:
    (prompt,) = mcp.result("prompts/list")["prompts"]
    told = mcp.result("prompts/get", name=prompt["name"])

    assert prompt["description"]
    text = told["messages"][0]["content"]["text"]
    assert [name for name in NAMES if name not in text] == []
    assert code(mcp.ask("prompts/get", name="other")) == -32602


@pytest.mark.parametrize("method", ["tools/nothing", "server/discover", "sampling/createMessage", ""])
def test_an_unknown_method_is_an_error_of_the_protocol(mcp: McpTestClient, method: str) -> None:
    assert code(mcp.ask(method)) == -32601


@pytest.mark.parametrize("name", ["nothing", None, 7])
def test_an_unknown_tool_is_an_error_of_the_protocol(mcp: McpTestClient, name: Any) -> None:
    assert code(mcp.ask("tools/call", name=name)) == -32602


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{not json", -32700),
        ("", -32700),
        (b"\xff", -32700),
        ('{"jsonrpc": "2.0", "jsonrpc": "2.0", "id": 1, "method": "ping"}', -32700),
        ("[" * 70 + "]" * 70, -32600),
        ("[]", -32600),
        ('[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
        ('"ping"', -32600),
        ("{}", -32600),
        ('{"id": 1, "method": "ping"}', -32600),
        ('{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": 2}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
        ('{"jsonrpc": "2.0", "id": 1, "result": {}}', -32600),
    ],
)
def test_what_is_no_message_is_400(mcp: McpTestClient, body: str | bytes, expected: int) -> None:
    answer = mcp.post(body)

    assert (answer.status, code(answer.json), answer.json["id"]) == (400, expected, None)
    assert answer.headers["content-type"] == "application/json"


def test_a_batch_is_told_that_it_is_one(mcp: McpTestClient) -> None:
    assert "batches are not taken" in mcp.post([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]).text


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "tools/call"])
def test_a_notification_is_accepted_and_does_nothing(mcp: McpTestClient, method: str) -> None:
    params = {"name": "remember", "arguments": {"text": "I live in Porto."}}
    answer = mcp.post({"jsonrpc": "2.0", "method": method, "params": params})

    assert (answer.status, answer.text) == (202, "")
    assert mcp.door.bus.published == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_is_no_stream_and_no_session(door: ApiTestClient, method: str) -> None:
    answer = door.call(method, "/v1/mcp/ada", headers={})

    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize(
    ("origin", "status"), [("https://api.test", 200), ("https://evil.test", 403), ("null", 403)]
)
def test_a_page_of_another_site_is_refused(mcp: McpTestClient, origin: str, status: int) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    assert mcp.post(ping, origin=origin, host="api.test").status == status


def test_a_revision_that_is_not_spoken_is_400(mcp: McpTestClient) -> None:
    answer = mcp.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, mcp_protocol_version="2099-01-01")

    assert (answer.status, code(answer.json)) == (400, -32022)
    assert answer.json["error"]["data"]["supported"] == ["2025-06-18", "2025-11-25", "2026-07-28"]


def test_a_request_with_an_envelope_needs_no_handshake(mcp: McpTestClient) -> None:
    told = mcp.post_enveloped("server/discover", {}).json["result"]
    listed = mcp.post_enveloped("tools/list", {}).json["result"]
    called = mcp.post_enveloped("tools/call", {"name": "get_profile", "arguments": {}}).json["result"]

    assert "2026-07-28" in told["supportedVersions"]
    assert [each["resultType"] for each in (told, listed, called)] == ["complete"] * 3
    assert [tool["name"] for tool in listed["tools"]] == NAMES
    assert (listed["ttlMs"], listed["cacheScope"]) == (300_000, "private")
    assert "ttlMs" not in called


def test_a_request_with_an_envelope_knows_no_handshake(mcp: McpTestClient) -> None:
    for method in ("initialize", "ping", "logging/setLevel"):
        answer = mcp.post_enveloped(method, {})
        assert (answer.status, code(answer.json)) == (404, -32601)


def test_a_header_that_says_something_else_is_400(mcp: McpTestClient) -> None:
    call = {"name": "get_profile"}
    encoded = f"=?base64?{base64.b64encode(b'get_profile').decode()}?="

    assert mcp.post_enveloped("tools/call", call, mcp_name=encoded).status == 200
    for changed in (
        {"mcp_name": "forget"},
        {"mcp_name": "=?base64?////?="},
        {"mcp_name": ""},
        {"mcp_method": "tools/list"},
    ):
        answer = mcp.post_enveloped("tools/call", call, **changed)
        assert (answer.status, code(answer.json), answer.json["id"]) == (400, -32020, 7)


@pytest.mark.parametrize("meta", [None, {}, {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}])
def test_an_incomplete_envelope_is_400(mcp: McpTestClient, meta: Any) -> None:
    answer = mcp.post_enveloped("tools/list", {"_meta": meta})

    assert (answer.status, code(answer.json)) == (400, -32602)


def test_an_envelope_of_another_version_than_its_header_is_400(mcp: McpTestClient) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2025-11-25",
        "io.modelcontextprotocol/clientCapabilities": {},
    }

    assert code(mcp.post_enveloped("tools/list", {"_meta": meta}).json) == -32020


def test_the_server_is_not_loaded_with_the_api() -> None:
    """A cold start of the other routes pays for no schema of a tool."""
    asked = "import sys, functions.api.app; print('functions.api.mcp.tools' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "False"
