"""The wire format of what comes over a socket: a JSON object whose `action` says what is wanted."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from membus.domain import strict_json
from membus.domain.identity import Id
from membus.errors import InvalidError

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
    """Read a message.

    Raises:
        InvalidError: `payload_too_large`, `invalid_json`, `unknown_action`, or `invalid` with what is wrong
            by field.
    """
    if len(text.encode("utf-8", "surrogatepass")) > SOCKET_MESSAGE_BYTES_MAX:
        raise InvalidError(
            f"a message takes at most {SOCKET_MESSAGE_BYTES_MAX} bytes", code="payload_too_large"
        )
    said: Any = strict_json.parse_strict_json(text)
    try:
        return _ACTIONS.validate_python(said)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    if problems[0]["type"].startswith("union_tag"):
        raise InvalidError("`action` is one of chat, resume and ping", code="unknown_action")
    fields = (f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in problems[:5])
    raise InvalidError("; ".join(fields))
