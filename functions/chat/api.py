"""The wire format of chat."""

import hashlib

from pydantic import BaseModel, ConfigDict, Field

from membus.domain.conversation import Message, Turn
from membus.domain.identity import Id
from membus.domain.prompt import PromptFootprint, TokenUsage


class MessageIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    content: str = Field(min_length=1)
    author: Id
    remember: bool = Field(
        default=True, description="false: it stays in this conversation and nothing is learned from it"
    )

    @property
    def fingerprint(self) -> str:
        """Tell this message from any other that comes under the same request key."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class ChatAnswer(BaseModel):
    """`message` is the reply; `usage` is what the provider counted, `context` what the prompt was made of."""

    message: Message
    usage: TokenUsage
    context: PromptFootprint
    stop_reason: str

    @classmethod
    def of(cls, turn: Turn) -> "ChatAnswer":
        return cls(
            message=turn.assistant, usage=turn.usage, context=turn.footprint, stop_reason=turn.stop_reason
        )


class PendingAnswer(BaseModel):
    """The answer takes longer than a request may.

    `message` is the reply-to-be, `pending` until it is there.
    """

    message: Message
