"""The MCP server as the official client sees it, in both eras of the protocol, on the deployed stack."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

import anyio
import httpx2
import pytest
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent, TextResourceContents

from localstack.home import Stack
from membus.tenants.api_keys import ApiScope
from tests.e2e.client import Client, eventually, said, somebody
from tests.e2e.conftest import NewKey

pytestmark = pytest.mark.stack

T = TypeVar("T")
ERAS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
every_era = pytest.mark.parametrize("mode", ERAS)


@asynccontextmanager
async def connection(stack: Stack, key: str, user: str, mode: str = "auto") -> AsyncIterator[McpClient]:
    """Connect as an assistant would that is configured with the user's URL and the key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{stack.api_url}/v1/mcp/{user}", http_client=http)
        async with McpClient(transport, mode=mode) as client:
            yield client


def use(stack: Stack, key: str, user: str, act: Callable[[McpClient], Awaitable[T]], mode: str = "auto") -> T:
    async def run() -> T:
        async with connection(stack, key, user, mode) as client:
            return await act(client)

    return anyio.run(run)


def call(stack: Stack, key: str, user: str, tool: str, /, **arguments: object) -> CallToolResult:
    async def act(client: McpClient) -> CallToolResult:
        return await client.call_tool(tool, arguments)

    return use(stack, key, user, act)


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return str(content.text)


@pytest.fixture(scope="module")
def key(new_key: NewKey) -> str:
    return new_key(f"mcp-{uuid4().hex[:8]}")


@every_era
def test_the_official_client_connects_and_lists(stack: Stack, key: str, mode: str) -> None:
    async def look(client: McpClient) -> tuple[str | None, list[str], list[str], list[str]]:
        tools, resources, prompts = (
            await client.list_tools(),
            await client.list_resources(),
            await client.list_prompts(),
        )
        return (
            client.protocol_version,
            [tool.name for tool in tools.tools],
            [str(resource.uri) for resource in resources.resources],
            [prompt.name for prompt in prompts.prompts],
        )

    version, tools, resources, prompts = use(stack, key, somebody(), look, mode)

    assert version == ERAS[mode]
    assert len(tools) == 7
    assert (resources, prompts) == (["membus://profile"], ["use_memory"])


@every_era
def test_what_is_remembered_stands_in_the_profile(stack: Stack, key: str, mode: str) -> None:
    user = somebody("mcp")

    async def remember(client: McpClient) -> CallToolResult:
        return await client.call_tool("remember", {"text": "I live in Lisbon."})

    async def read(client: McpClient) -> str:
        (content,) = (await client.read_resource("membus://profile")).contents
        assert isinstance(content, TextResourceContents)
        return str(content.text)

    assert not use(stack, key, user, remember, mode).is_error
    profile = eventually(
        lambda: text(call(stack, key, user, "get_profile")), lambda shown: "home.city: Lisbon" in shown
    )

    assert "home.city: Lisbon" in profile
    assert use(stack, key, user, read, mode) == profile
    assert "I live in Lisbon." in text(call(stack, key, user, "list_recent"))


def test_a_fact_is_corrected_and_forgotten(stack: Stack, key: str) -> None:
    user = somebody("mcp")

    assert "Porto" in text(call(stack, key, user, "correct_fact", key="home.city", value="Porto"))
    assert "home.city: Porto" in text(call(stack, key, user, "get_profile"))
    assert not call(stack, key, user, "forget", key="home.city").is_error
    assert "Porto" not in text(call(stack, key, user, "get_profile"))

    again = call(stack, key, user, "forget", key="home.city")
    assert again.is_error
    assert text(again).startswith("not_found: ")


def test_another_users_memory_is_never_seen(stack: Stack, new_key: NewKey) -> None:
    tenant, ada, grace = f"mcp-{uuid4().hex[:8]}", somebody("ada"), somebody("grace")
    key, foreign = new_key(tenant), new_key(f"mcp-{uuid4().hex[:8]}")
    client = Client(stack.api_url, key)
    client.send(said(ada, "I love orange marmalade."), said(grace, "I love plum marmalade."))

    def found(user: str, with_key: str = key) -> str:
        return text(call(stack, with_key, user, "search_memory", query="marmalade"))

    assert "orange" in eventually(lambda: found(ada), lambda shown: "orange" in shown)
    assert "plum" in eventually(lambda: found(grace), lambda shown: "plum" in shown)
    for tool, arguments in (
        ("search_memory", {"query": "marmalade"}),
        ("get_context", {"message": "Which marmalade do I love?"}),
        ("get_profile", {}),
        ("list_recent", {}),
    ):
        assert "plum" not in text(call(stack, key, ada, tool, **arguments))
        assert "marmalade" not in text(call(stack, foreign, ada, tool, **arguments))
    assert "orange" in text(call(stack, key, ada, "get_context", message="Which marmalade do I love?"))
    client.close()


def test_a_key_without_a_scope_has_fewer_tools(stack: Stack, new_key: NewKey) -> None:
    reader = new_key(f"mcp-{uuid4().hex[:8]}", scopes=(ApiScope.MEMORY_READ,))
    sender = new_key(f"mcp-{uuid4().hex[:8]}", scopes=(ApiScope.EVENTS_WRITE,))

    async def names(client: McpClient) -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    assert use(stack, sender, "ada", names) == ["remember"]
    assert "remember" not in use(stack, reader, "ada", names)
    refused = call(stack, reader, "ada", "remember", text="I live in Porto.")
    assert (refused.is_error, text(refused).split(":")[0]) == (True, "scope_missing")


def test_the_gateway_refuses_a_request_without_a_key(stack: Stack, key: str) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    stranger, known = Client(stack.api_url, None), Client(stack.api_url, key)

    assert stranger.http.post("/v1/mcp/ada", json=ping).status_code == 401
    assert stranger.http.get("/v1/mcp/ada").status_code == 401
    assert known.http.post("/v1/mcp/ada", json=ping).json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    streams = known.http.get("/v1/mcp/ada")
    assert (streams.status_code, streams.headers["allow"]) == (405, "POST")
    assert known.http.delete("/v1/mcp/ada").status_code == 405
    notification = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert known.http.post("/v1/mcp/ada", json=notification).status_code == 202
    evil = {"Origin": "https://evil.test"}
    assert known.http.post("/v1/mcp/ada", json=ping, headers=evil).status_code == 403
    for client in (stranger, known):
        client.close()
