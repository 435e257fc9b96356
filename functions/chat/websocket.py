"""Chat over a socket: connections are stored, messages checked and answered in the background."""

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
    ensure_same_message,
    parse_action,
)
from functions.chat.turn import enqueue_turn
from functions.chat.turn_records import TurnJob, new_turn_job
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
from membus.tenants.api_keys import ApiKeyStore, ApiScope

SUBPROTOCOL = "membus.v1"
"""Chosen where it is offered: a browser that offers one hangs up unless one is chosen."""
PROTOCOL_HEADER = "sec-websocket-protocol"
ACCEPTED = {"statusCode": 200}


@dataclass(frozen=True)
class SocketMessage:
    """A message as the gateway hands it over; `tenant` is what its authorizer found out at the connection.

    `heading` is what the answers name beside the request id, once the message is parsed.
    """

    tenant: str
    connection_id: str
    text: str
    request_id: str
    heading: dict[str, str] = field(default_factory=dict)

    def with_action(self, action: Action) -> "SocketMessage":
        heading = action.model_dump(include={"conversation_id", "message_id"})
        return replace(self, request_id=action.request_id or self.request_id, heading=heading)


@dataclass(frozen=True)
class WebSocketService:
    """`admit` refuses a tenant beyond its rate."""

    connections: ConnectionStore
    keys: ApiKeyStore
    replies: MessageReader
    guard: ErasureGuard
    sender: SocketSender
    queue: TurnQueue
    clock: Clock
    ids: MessageIdGenerator
    admit: Callable[[str], None]

    def handle_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the gateway's event of a socket: opened, closed, or spoken to."""
        context = event["requestContext"]
        caller, connection_id = parse_caller(context.get("authorizer")), str(context["connectionId"])
        if context["eventType"] == "CONNECT":
            self._open_connection(caller, connection_id)
            return ACCEPTED | _choose_protocol(event.get("headers") or {})
        if context["eventType"] == "DISCONNECT":
            self.connections.delete_connection(caller.tenant, connection_id)
            return ACCEPTED
        text = event.get("body") or ""
        self._handle_message(SocketMessage(caller.tenant, connection_id, text, str(context["requestId"])))
        return ACCEPTED

    def _open_connection(self, caller: Caller, connection_id: str) -> None:
        self.connections.add_connection(
            SocketConnection(
                connection_id=connection_id,
                tenant_id=caller.tenant,
                key_id=caller.key_id,
                scopes=caller.scopes,
                connected_at=self.clock(),
            )
        )

    def _handle_message(self, message: SocketMessage) -> None:
        """Answer a message, or have it answered; every answer ends with `done`, `pong` or `error`."""
        try:
            caller = self._authorize(message)
            action = parse_action(message.text)
            message = message.with_action(action)
            answer = self._answer(message, action, caller)
        except UnauthorizedError as refusal:
            self._send(message, [frames.error_frame(refusal)])
            self.sender.close_connection(message.connection_id)
        except MembusError as error:
            self._send(message, [frames.error_frame(error)])
        except Exception:  # noqa: BLE001 - the edge: whatever it is, the client hears of it
            logger.exception("a defect reached the edge")
            self._send(message, [frames.error_frame(MembusError("something went wrong on our side"))])
        else:
            self._send(message, answer)

    def _authorize(self, message: SocketMessage) -> Caller:
        """Return the caller by a key that is read anew: one that connected two hours ago may be revoked."""
        try:
            connection = self.connections.get_connection(message.tenant, message.connection_id)
        except NotFoundError as unknown:
            raise UnauthorizedError("this connection is not known any more; connect again") from unknown
        key = self.keys.find_key(connection.key_id)
        if key is None or key.tenant_id != connection.tenant_id or key.status_at(self.clock()) != "active":
            raise UnauthorizedError("the key of this connection does not hold any more")
        if ApiScope.CHAT not in key.scopes:
            raise ForbiddenError(f"this key lacks the scope {ApiScope.CHAT}", code="scope_missing")
        self.admit(connection.tenant_id)
        return Caller(tenant=key.tenant_id, key_id=key.key_id, scopes=frozenset(key.scopes))

    def _answer(self, message: SocketMessage, action: Action, caller: Caller) -> Iterable[Frame]:
        if isinstance(action, PingAction):
            return [{"type": "pong"}]
        if isinstance(action, ResumeAction):
            return self._resume(message.tenant, action)
        self._start_turn(message, action, caller)
        return []

    def _start_turn(self, message: SocketMessage, action: ChatAction, caller: Caller) -> None:
        """Have the turn worked on in the background, unless its request already is.

        Raises:
            InvalidError: `idempotency_mismatch`, the request id is in use for another message.
            ConflictError: `in_progress`, and not stored yet.
            UnavailableError: the turn is not taken; nothing is promised then.
        """
        conversation = self.replies.conversations.get_conversation(caller.tenant, action.conversation_id)
        author = action.author or conversation.user_id
        conversation.require_member(author)
        asked = MessageIn(content=action.content, author=author, remember=action.remember)
        check_message(asked)
        job = new_turn_job(
            caller,
            action.conversation_id,
            asked,
            request_key=message.request_id,
            ids=self.ids,
            now=self.clock(),
            connection_id=message.connection_id,
        )
        self._ensure_free(job)
        enqueue_turn(job, self.replies.jobs, self.queue, self.clock())

    def _ensure_free(self, job: TurnJob) -> None:
        """A turn that is stored already may be worked on too: it is streamed again."""
        claim = self.replies.jobs.claim_job(job.request, job.to_reply_job())
        if claim.granted:
            return
        ensure_same_message(claim.job.request, job.message)
        if self.replies.conversations.find_turn(job.tenant, job.conversation_id, job.request_key) is None:
            detail = f"this request is being answered as {claim.job.message_id}"
            raise ConflictError(detail, code="in_progress")

    def _resume(self, tenant: str, action: ResumeAction) -> Iterable[Frame]:
        conversation = self.guard.load_conversation(
            tenant, action.conversation_id, self.replies.conversations
        )
        if action.author:
            conversation.require_member(action.author)
        return frames.message_frames(self.replies.get_message(conversation, action.message_id))

    def _send(self, message: SocketMessage, answer: Iterable[Frame]) -> None:
        for seq, frame in enumerate(answer):
            data = encode_frame(frame, request_id=message.request_id, **message.heading, seq=seq)
            self.sender.send_frame(message.connection_id, data)


def _choose_protocol(headers: Mapping[str, str]) -> dict[str, Any]:
    offered = next((value for name, value in headers.items() if name.lower() == PROTOCOL_HEADER), "")
    chosen = SUBPROTOCOL in (each.strip() for each in offered.split(","))
    return {"headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}} if chosen else {}
