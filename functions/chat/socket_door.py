"""The gateway's events of a socket: opened, closed, spoken to.

Who it is, the authorizer said when it opened.
"""

from collections.abc import Mapping
from typing import Any

from functions.chat.socket import Said, Socket
from membus.http import caller_of

SUBPROTOCOL = "membus.v1"
"""Chosen where it is offered: a browser that offers one hangs up unless one is chosen."""
OFFERED = "sec-websocket-protocol"
TAKEN = {"statusCode": 200}


def answer_gateway(event: Mapping[str, Any], socket: Socket) -> dict[str, Any]:
    context = event["requestContext"]
    caller, connection_id = caller_of(context.get("authorizer")), str(context["connectionId"])
    if context["eventType"] == "CONNECT":
        socket.open(caller, connection_id)
        return TAKEN | _chosen(event.get("headers") or {})
    if context["eventType"] == "DISCONNECT":
        socket.connections.close(caller.tenant, connection_id)
        return TAKEN
    socket.take(Said(caller.tenant, connection_id, event.get("body") or "", str(context["requestId"])))
    return TAKEN


def _chosen(headers: Mapping[str, str]) -> dict[str, Any]:
    offered = next((value for name, value in headers.items() if name.lower() == OFFERED), "")
    chosen = SUBPROTOCOL in (each.strip() for each in offered.split(","))
    return {"headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}} if chosen else {}
