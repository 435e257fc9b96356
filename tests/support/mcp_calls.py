"""An MCP client of the unit tests: JSON-RPC through the API without a network, in either era."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.api_client import ApiTestClient, ApiTestResponse

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass
class McpTestClient:
    door: ApiTestClient
    user: str = "ada"
    ids: Any = field(default_factory=lambda: itertools.count(1))

    def post(self, body: Any, **headers: str) -> ApiTestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.door.post(f"/v1/mcp/{self.user}", body, key=None, **named)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the JSON-RPC answer of a revision with a handshake."""
        answer = self.post({"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params})
        assert answer.status == 200, answer.text
        told: dict[str, Any] = answer.json
        return told

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.ask(method, **params)["result"]
        return result

    def tool(self, name: str, **arguments: Any) -> str:
        """Return the text of a tool that succeeds."""
        result = self.result("tools/call", name=name, arguments=arguments)
        assert not result["isError"], result
        return str(result["content"][0]["text"])

    def refusal(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return the error of a tool, whose text names its code."""
        result = self.result("tools/call", name=name, arguments=arguments)
        assert result["isError"]
        error: dict[str, Any] = result["structuredContent"]["error"]
        assert result["content"][0]["text"].startswith(f"{error['code']}: ")
        return error

    def post_enveloped(self, method: str, params: dict[str, Any], **changed: str) -> ApiTestResponse:
        """Send a request of 2026-07-28; `changed` replaces headers."""
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
        named = params.get("uri" if method == "resources/read" else "name")
        if named:
            headers["mcp-name"] = named
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": {"_meta": ENVELOPE, **params}}
        return self.door.call("POST", f"/v1/mcp/{self.user}", headers=headers, body=json.dumps(body))
