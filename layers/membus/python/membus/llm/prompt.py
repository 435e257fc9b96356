"""Prompts and replies of language models, in no vendor's terms."""

from typing import Any, Literal

from membus.core.errors import ModelError
from membus.core.identity import Record
from membus.core.tokens import TokenUsage

StopReason = Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "cut_off"]
"""Why a turn ended: `max_tokens` also for a full context window, `cut_off` for a stream that broke off."""


class SystemBlock(Record):
    """A part of the system text; `cached` asks the provider to cache everything up to its end."""

    name: str
    text: str
    cached: bool = False


class ToolDefinition(Record):
    """A tool that the model may call; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(Record):
    """A tool that the model calls."""

    call_id: str
    name: str
    arguments: dict[str, Any]


class ToolResult(Record):
    """The result of a call; the content of a `failed` one tells the model why."""

    call_id: str
    content: str
    failed: bool = False


class ProviderBlocks(Record):
    """A model's turn in its provider's own blocks, which that provider wants back unchanged."""

    model: str
    blocks: tuple[dict[str, Any], ...]


class ChatMessage(Record):
    """A message: the assistant's holds `calls`, the user's next one their `results`.

    `cached` asks the provider to cache everything up to its end.
    """

    role: Literal["user", "assistant"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    cached: bool = False
    verbatim: ProviderBlocks | None = None


class Prompt(Record):
    """`calling` False forbids calls but keeps the tools in the prompt, and so in the provider's cache."""

    system: tuple[SystemBlock, ...]
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolDefinition, ...] = ()
    calling: bool = True


class ModelReply(Record):
    """A finished turn of the model; it has `calls` only where it stopped for their results."""

    text: str
    stop_reason: StopReason
    model: str
    usage: TokenUsage
    calls: tuple[ToolCall, ...] = ()
    verbatim: ProviderBlocks | None = None

    def to_message(self) -> ChatMessage:
        """Return the turn as the next prompt holds it, in front of the results of its calls."""
        return ChatMessage(role="assistant", text=self.text, calls=self.calls, verbatim=self.verbatim)


class UnusableReplyError(ModelError):
    """The model gave an answer that costs `usage` and cannot be used."""

    def __init__(self, detail: str, *, reason: str, usage: TokenUsage) -> None:
        super().__init__(detail, reason=reason)
        self.usage = usage


class TextDelta(Record):
    """The next words of a turn."""

    text: str


class ReplyEnd(Record):
    """The end of a complete turn, always its last event."""

    reply: ModelReply


ModelEvent = TextDelta | ToolCall | TokenUsage | ReplyEnd
"""An event of a streamed turn: text, then calls, then `ReplyEnd`; only the last TokenUsage counts."""
