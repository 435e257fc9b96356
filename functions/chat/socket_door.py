"""The gateway's events of a socket: opened, closed, spoken to.

Who it is, the authorizer said when it opened.
"""

from collections.abc import Mapping
from typing import Any

from functions.chat.socket import SocketMessage, WebSocketService
from membus.http import parse_caller

SUBPROTOCOL = "membus.v1"
"""Chosen where it is offered: a browser that offers one hangs up unless one is chosen."""
PROTOCOL_HEADER = "sec-websocket-protocol"
ACCEPTED = {"statusCode": 200}


def handle_gateway_event(event: Mapping[str, Any], socket: WebSocketService) -> dict[str, Any]:
    context = event["requestContext"]
    caller, connection_id = parse_caller(context.get("authorizer")), str(context["connectionId"])
    if context["eventType"] == "CONNECT":
        socket.open(caller, connection_id)
        return ACCEPTED | _choose_protocol(event.get("headers") or {})
    if context["eventType"] == "DISCONNECT":
        socket.connections.close(caller.tenant, connection_id)
        return ACCEPTED
    socket.take(
        SocketMessage(caller.tenant, connection_id, event.get("body") or "", str(context["requestId"]))
    )
    return ACCEPTED


def _choose_protocol(headers: Mapping[str, str]) -> dict[str, Any]:
    offered = next((value for name, value in headers.items() if name.lower() == PROTOCOL_HEADER), "")
    chosen = SUBPROTOCOL in (each.strip() for each in offered.split(","))
    return {"headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}} if chosen else {}
