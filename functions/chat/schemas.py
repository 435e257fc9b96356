"""The wire format of chat over HTTP and over a socket, whose messages are JSON objects with an `action`."""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from functions.chat.context import measure_message
from membus.conversations.conversation import Message, PromptFootprint, Turn
from membus.core import strict_json
from membus.core.errors import InvalidError
from membus.core.identity import Id
from membus.core.text.normalization import is_blank
from membus.core.tokens import TokenUsage


class MessageIn(BaseModel):
    """What a user says."""

    model_config = ConfigDict(extra="forbid")

    content: str = Field(min_length=1)
    author: Id
    remember: bool = Field(
        default=True, description="false: it stays in this conversation and nothing is learned from it"
    )

    @property
    def fingerprint(self) -> str:
        """Tells this message from any other under the same request key."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class ChatAnswer(BaseModel):
    """The reply, its tokens as the provider counted them, and what its prompt was made of."""

    message: Message
    usage: TokenUsage
    context: PromptFootprint
    stop_reason: str

    @classmethod
    def from_turn(cls, turn: Turn) -> "ChatAnswer":
        return cls(
            message=turn.assistant, usage=turn.usage, context=turn.footprint, stop_reason=turn.stop_reason
        )


class PendingAnswer(BaseModel):
    """The answer takes longer than a request may; `message` is `pending` until it is stored."""

    message: Message


CONTENT_BYTES_MAX = 64_000
"""Far above what 500 tokens come to in any script; refused before anything is counted."""


def ensure_same_message(request: str, asked: MessageIn) -> None:
    """Raise InvalidError, `idempotency_mismatch`, where the request key was used for another message."""
    if request != asked.fingerprint:
        raise InvalidError("this key was used for another message", code="idempotency_mismatch")


def check_message(asked: MessageIn) -> None:
    """Raise InvalidError for a message that can never be answered."""
    if is_blank(asked.content):
        raise InvalidError("content: a message needs visible text")
    if len(asked.content.encode()) > CONTENT_BYTES_MAX:
        raise InvalidError(f"a message takes at most {CONTENT_BYTES_MAX} bytes", code="payload_too_large")
    measure_message(asked.content)


SOCKET_MESSAGE_BYTES_MAX = 128 * 1024
"""What API Gateway takes in one message, in frames of 32 KB each."""
RequestId = Annotated[str, Field(min_length=1, max_length=255)]


class _SocketAction(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request_id: RequestId | None = Field(
        default=None, description="the same one gets the same turn, for a day"
    )


class ChatAction(_SocketAction):
    """`author` is the conversation's owner unless it says otherwise."""

    action: Literal["chat"]
    conversation_id: Id
    content: str = Field(min_length=1)
    author: Id | None = None
    remember: bool = True


class ResumeAction(_SocketAction):
    action: Literal["resume"]
    conversation_id: Id
    message_id: Id
    author: Id | None = None


class PingAction(_SocketAction):
    action: Literal["ping"]


Action = ChatAction | ResumeAction | PingAction
_ACTIONS: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="action")])


def parse_action(text: str) -> Action:
    """Return the action of a socket's message.

    Raises:
        InvalidError: `payload_too_large`, `invalid_json`, `unknown_action`, or `invalid` with what is wrong
            by field.
    """
    if len(text.encode("utf-8", "surrogatepass")) > SOCKET_MESSAGE_BYTES_MAX:
        detail = f"a message takes at most {SOCKET_MESSAGE_BYTES_MAX} bytes"
        raise InvalidError(detail, code="payload_too_large")
    message: Any = strict_json.parse_strict_json(text)
    try:
        return _ACTIONS.validate_python(message)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    if problems[0]["type"].startswith("union_tag"):
        raise InvalidError("`action` is one of chat, resume and ping", code="unknown_action")
    fields = (f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in problems[:5])
    raise InvalidError("; ".join(fields))
