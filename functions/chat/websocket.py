"""What happens on a socket.

A connection is noted with its credential, each message checked, taken or answered.

The gateway's events of a socket: opened, closed, spoken to.

Who it is, the authorizer said when it opened.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from functions.chat import frames
from functions.chat.frames import Frame, encode_frame
from functions.chat.schemas import (
    Action,
    ChatAction,
    MessageIn,
    PingAction,
    ResumeAction,
    check_message,
    parse_action,
)
from functions.chat.turn_records import TurnIds
from functions.chat.turn_worker import TurnJob, start_turn_job
from membus.conversations.conversation import MessageIdGenerator
from membus.conversations.message_reader import MessageReader
from membus.conversations.ports import ConnectionStore, SocketSender, TurnQueue
from membus.conversations.reply_jobs import SocketConnection
from membus.core.clock import Clock
from membus.core.errors import ConflictError, ForbiddenError, MembusError, NotFoundError, UnauthorizedError
from membus.core.identity import Caller
from membus.erasure.guard import ErasureGuard
from membus.http import parse_caller
from membus.observability import logger
from membus.tenants.api_keys import ApiKey, ApiKeyStore, ApiScope


@dataclass(frozen=True)
class SocketMessage:
    """A message as the gateway hands it over.

    `tenant` is what its authorizer found out when the client connected.
    """

    tenant: str
    connection_id: str
    text: str
    request_id: str
    heading: dict[str, str] = field(default_factory=dict)

    def with_request(self, asked: Action) -> "SocketMessage":
        """Return it with what its answers name: the client's own id for it, and what it is about."""
        names = asked.model_dump(include={"conversation_id", "message_id"})
        return replace(self, request_id=asked.request_id or self.request_id, heading=names)


@dataclass(frozen=True)
class WebSocketService:
    connections: ConnectionStore
    keys: ApiKeyStore
    replies: MessageReader
    gate: ErasureGuard
    push: SocketSender
    turns: TurnQueue
    clock: Clock
    ids: MessageIdGenerator
    admit: Callable[[str], None]

    def open_connection(self, caller: Caller, connection_id: str) -> None:
        self.connections.add_connection(
            SocketConnection(
                connection_id=connection_id,
                tenant_id=caller.tenant,
                key_id=caller.key_id,
                scopes=caller.scopes,
                connected_at=self.clock(),
            )
        )

    def handle_message(self, said: SocketMessage) -> None:
        """Answer a message, or have it answered; every answer ends with `done`, `pong` or `error`."""
        try:
            key = self._admit(said)
            asked = parse_action(said.text)
            said = said.with_request(asked)
            answer = self._answer(said, asked, key)
        except UnauthorizedError as refusal:
            self._say(said, [frames.error_frame(refusal)])
            self.push.close_connection(said.connection_id)
        except MembusError as error:
            self._say(said, [frames.error_frame(error)])
        except Exception:  # noqa: BLE001 - the edge: whatever it is, the client hears of it
            logger.exception("a defect reached the edge")
            self._say(said, [frames.error_frame(MembusError("something went wrong on our side"))])
        else:
            self._say(said, answer)

    def _admit(self, said: SocketMessage) -> ApiKey:
        """Look at the key anew: whoever connected two hours ago may have lost it since."""
        try:
            connection = self.connections.get_connection(said.tenant, said.connection_id)
        except NotFoundError as unknown:
            raise UnauthorizedError("this connection is not known any more; connect again") from unknown
        key = self.keys.find_key(connection.key_id)
        if key is None or key.tenant_id != connection.tenant_id or key.status_at(self.clock()) != "active":
            raise UnauthorizedError("the key of this connection does not hold any more")
        if ApiScope.CHAT not in key.scopes:
            raise ForbiddenError(f"this key lacks the scope {ApiScope.CHAT}", code="scope_missing")
        self.admit(connection.tenant_id)
        return key

    def _answer(self, said: SocketMessage, asked: Action, key: ApiKey) -> Iterable[Frame]:
        if isinstance(asked, PingAction):
            return [{"type": "pong"}]
        if isinstance(asked, ResumeAction):
            return self._resume(said.tenant, asked)
        self._begin(said, asked, key)
        return []

    def _begin(self, said: SocketMessage, asked: ChatAction, key: ApiKey) -> None:
        conversation = self.replies.conversations.get_conversation(said.tenant, asked.conversation_id)
        author = asked.author or conversation.user_id
        conversation.require_member(author)
        message = MessageIn(content=asked.content, author=author, remember=asked.remember)
        check_message(message)
        turn = TurnJob(
            tenant=said.tenant,
            conversation_id=asked.conversation_id,
            message=message,
            request_id=said.request_id,
            ids=TurnIds.generate_ids(self.ids, self.clock()),
            connection_id=said.connection_id,
            whole_tenant=ApiScope.ADMIN in key.scopes,
        )
        first = start_turn_job(turn, self.replies.pending, self.turns, self.clock())
        if first.message_id != turn.ids.reply:
            raise ConflictError(f"this request is being answered as {first.message_id}", code="in_progress")

    def _resume(self, tenant: str, asked: ResumeAction) -> Iterable[Frame]:
        conversation = self.gate.load_conversation(tenant, asked.conversation_id, self.replies.conversations)
        if asked.author:
            conversation.require_member(asked.author)
        return frames.message_frames(self.replies.get_message(conversation, asked.message_id))

    def _say(self, said: SocketMessage, answer: Iterable[Frame]) -> None:
        for seq, frame in enumerate(answer):
            self.push.send_frame(
                said.connection_id, encode_frame(frame, request_id=said.request_id, **said.heading, seq=seq)
            )


SUBPROTOCOL = "membus.v1"
"""Chosen where it is offered: a browser that offers one hangs up unless one is chosen."""
PROTOCOL_HEADER = "sec-websocket-protocol"
ACCEPTED = {"statusCode": 200}


def handle_gateway_event(event: Mapping[str, Any], socket: WebSocketService) -> dict[str, Any]:
    context = event["requestContext"]
    caller, connection_id = parse_caller(context.get("authorizer")), str(context["connectionId"])
    if context["eventType"] == "CONNECT":
        socket.open_connection(caller, connection_id)
        return ACCEPTED | _choose_protocol(event.get("headers") or {})
    if context["eventType"] == "DISCONNECT":
        socket.connections.delete_connection(caller.tenant, connection_id)
        return ACCEPTED
    socket.handle_message(
        SocketMessage(caller.tenant, connection_id, event.get("body") or "", str(context["requestId"]))
    )
    return ACCEPTED


def _choose_protocol(headers: Mapping[str, str]) -> dict[str, Any]:
    offered = next((value for name, value in headers.items() if name.lower() == PROTOCOL_HEADER), "")
    chosen = SUBPROTOCOL in (each.strip() for each in offered.split(","))
    return {"headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}} if chosen else {}
