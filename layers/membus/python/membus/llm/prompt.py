"""What is sent to a model and what comes back, in no vendor's words."""

from typing import Any, Literal

from membus.core.errors import ModelError
from membus.core.identity import Record
from membus.core.tokens import TokenUsage

StopReason = Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "cut_off"]
"""How a turn of the model's ended. `max_tokens` also stands for a context window that is full.

`cut_off` is no model's word but what is said of a stream that broke off.
"""


class SystemBlock(Record):
    """A part of the system text; `cached` asks the provider to cache everything up to its end."""

    name: str
    text: str
    cached: bool = False


class ToolDefinition(Record):
    """Something the model may call; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(Record):
    call_id: str
    name: str
    arguments: dict[str, Any]


class ToolResult(Record):
    """What a call came to; a `failed` one tells the model why in its content."""

    call_id: str
    content: str
    failed: bool = False


class ProviderBlocks(Record):
    """A model's turn in its provider's own blocks, which it alone understands and wants back unchanged."""

    model: str
    blocks: tuple[dict[str, Any], ...]


class ChatMessage(Record):
    """A turn. The assistant's holds `calls`, and the user's turn right behind it their `results`.

    `cached` asks the provider to cache everything up to its end.
    """

    role: Literal["user", "assistant"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    cached: bool = False
    verbatim: ProviderBlocks | None = None


class Prompt(Record):
    """`calling` False keeps the tools in the prompt, and so in the provider's cache, but forbids to call them."""

    system: tuple[SystemBlock, ...]
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolDefinition, ...] = ()
    calling: bool = True


class ModelReply(Record):
    """A finished turn of the model's. There are `calls` only where it stopped to have them answered."""

    text: str
    stop_reason: StopReason
    model: str
    usage: TokenUsage
    calls: tuple[ToolCall, ...] = ()
    verbatim: ProviderBlocks | None = None

    def to_message(self) -> ChatMessage:
        """Return the turn as it stands in the next prompt, in front of the results of its calls."""
        return ChatMessage(role="assistant", text=self.text, calls=self.calls, verbatim=self.verbatim)


class UnusableReplyError(ModelError):
    """The model answered, which costs `usage`, and nothing of it can be used."""

    def __init__(self, detail: str, *, reason: str, usage: TokenUsage) -> None:
        super().__init__(detail, reason=reason)
        self.usage = usage


class TextDelta(Record):
    """The next words of a turn that is being spoken."""

    text: str


class ReplyEnd(Record):
    """The end of a turn that was spoken whole, and always the last that is heard of it."""

    reply: ModelReply


ModelEvent = TextDelta | ToolCall | TokenUsage | ReplyEnd
"""What is heard while a turn is spoken: words, then its calls, then `Stopped`.

A `Usage` says what has been counted so far; there may be several, and the last one counts.
"""
