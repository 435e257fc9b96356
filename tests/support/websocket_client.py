"""The WebSocket API's front door without a network.

What the gateway tells the function, and what the client hears.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from functions.chat import handler as chat
from membus.tenants.api_keys import ApiKey, ApiScope
from tests.factories import NOON
from tests.support.api_client import ApiTestClient, Handler, LambdaInvocation

Frame = dict[str, Any]


@dataclass
class WebSocketTestClient:
    """A client's open socket, admitted with a key of its own."""

    door: ApiTestClient
    connection_id: str = "w1="
    tenant: str = "acme"
    key_id: str = "k1"
    scopes: tuple[ApiScope, ...] = (ApiScope.CHAT,)
    answer: Any = field(init=False)

    def open(self, **headers: str) -> "WebSocketTestClient":
        if self.door.keys.find_key(self.key_id) is None:
            self.door.keys.add_key(
                ApiKey(self.key_id, self.tenant, "web", self.scopes, secret_hash="0" * 64, created_at=NOON)
            )
        self.answer = self._event("CONNECT", headers=headers)
        return self

    def close(self) -> None:
        self._event("DISCONNECT")

    def say(self, message: Frame | str, *, request_id: str = "gateway-1") -> list[Frame]:
        """Say something and return the frames that came of it."""
        before = len(self.door.push.heard[self.connection_id])
        text = message if isinstance(message, str) else json.dumps(message)
        self._event("MESSAGE", body=text, request_id=request_id)
        return self.door.push.frames(self.connection_id)[before:]

    def _event(self, kind: str, *, request_id: str = "gateway-1", **fields: object) -> Any:
        said = {
            "tenant_id": self.tenant,
            "key_id": self.key_id,
            "scopes": " ".join(self.scopes),
            "principalId": "k1",
        }
        context = {
            "eventType": kind,
            "connectionId": self.connection_id,
            "requestId": request_id,
            "stage": "v1",
            "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
            "authorizer": said,
        }
        handler: Handler = chat.handler
        event = {"requestContext": context, "isBase64Encoded": False, **fields}
        return handler(event, LambdaInvocation(60), self.door.container())
