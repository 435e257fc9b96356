"""Messages requests, checked as the real API checks them and refused in its words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Block = dict[str, Any]
TOOL_NAME = r"[a-zA-Z0-9_-]{1,128}"


class ModelServerError(Exception):
    """An error that the caller made or asked for; `kind` is Anthropic's error type."""

    def __init__(self, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.headers = kind, message, dict(headers or {})

    @classmethod
    def invalid_request(cls, message: str) -> "ModelServerError":
        return cls("invalid_request_error", message)


class CacheControl(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class RequestMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: str
    content: str | list[Block]


def _check_tool(tool: Block) -> Block:
    """Return a valid definition unchanged: the order of its keys is part of the cached prefix."""
    if not re.fullmatch(TOOL_NAME, str(tool.get("name", ""))):
        raise ValueError(f"name: String should match pattern '^{TOOL_NAME}$'")
    if "input_schema" not in tool and "type" not in tool:
        raise ValueError("input_schema: Field required")
    return tool


class ToolChoice(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None


class OutputFormat(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    type: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")


class OutputConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: OutputFormat | None = None


class PromptRequest(BaseModel):
    """The part of a request that costs input tokens, and the whole body of count_tokens."""

    model_config = ConfigDict(extra="forbid")
    model: str = Field(min_length=1)
    messages: list[RequestMessage]
    system: str | list[Block] = ""
    tools: list[Annotated[Block, AfterValidator(_check_tool)]] = Field(default_factory=list)
    tool_choice: ToolChoice | None = None
    output_config: OutputConfig = Field(default_factory=OutputConfig)
    cache_control: CacheControl | None = None
    thinking: dict[str, Any] | None = None
    speed: str | None = None

    def last_text(self) -> str:
        return text_of(self.messages[-1].content)


PromptRequestT = TypeVar("PromptRequestT", bound=PromptRequest)


class MessagesRequest(PromptRequest):
    max_tokens: int = Field(ge=0)
    stream: bool = False
    stop_sequences: list[str] = Field(default_factory=list)
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    metadata: dict[str, Any] | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    container: Any = None
    diagnostics: Any = None
    inference_geo: str | None = None

    def question_text(self) -> str:
        """Return the last message; with an output format, every user message.

        A client that asks to repair an answer sends its complaint last and the question before it.
        """
        messages = self.messages if self.output_config.format else self.messages[-1:]
        return "\n".join(text_of(message.content) for message in messages if message.role == "user")


def parse_request(shape: type[PromptRequestT], body: object) -> PromptRequestT:
    """Return the request; raise ModelServerError with the first complaint of the real API."""
    try:
        prompt = shape.model_validate(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ModelServerError.invalid_request(f"{place}: {message}" if place else message) from invalid
    if complaint := next(_find_complaints(prompt.messages), None):
        raise ModelServerError.invalid_request(complaint)
    return prompt


def blocks(content: str | list[Block]) -> list[Block]:
    """Return the blocks of a content: a string stands for one text block."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def text_of(content: str | list[Block]) -> str:
    return "\n".join(str(block["text"]) for block in blocks(content) if block.get("type") == "text")


def _find_complaints(messages: Sequence[RequestMessage]) -> Iterator[str]:
    """Yield what the real API demands of messages beyond the shape of each."""
    if not messages:
        yield "messages: at least one message is required"
        return
    for index, message in enumerate(messages):
        if message.role not in {"user", "assistant"}:
            yield (
                f'messages: Unexpected role "{message.role}". The Messages API accepts a top-level `system` '
                f'parameter, not "{message.role}" as an input message role.'
            )
        yield from _find_block_complaints(index, blocks(message.content))
    if messages[0].role != "user":
        yield 'messages: first message must use the "user" role'
    if messages[-1].role != "user" and not _ids(messages[-1], "server_tool_use", "id"):
        yield (
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    yield from _find_unpaired_calls(messages)


def _find_block_complaints(index: int, content: list[Block]) -> Iterator[str]:
    if not content:
        yield f"messages.{index}: all messages must have non-empty content"
    for place, block in enumerate(content):
        if "type" not in block:
            yield f"messages.{index}.content.{place}.type: Field required"
        elif block["type"] == "text" and not str(block.get("text", "")).strip():
            yield "messages: text content blocks must be non-empty"


def _find_unpaired_calls(messages: Sequence[RequestMessage]) -> Iterator[str]:
    calls: set[str] = set()
    for index, message in enumerate(messages):
        results = _ids(message, "tool_result", "tool_use_id")
        if missing := sorted(calls - results):
            yield (
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` "
                "block in the next message."
            )
        if orphans := sorted(results - calls):
            yield (
                f"messages.{index}.content: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{', '.join(orphans)}. Each `tool_result` block must have a corresponding `tool_use` block "
                "in the previous message."
            )
        calls = _ids(message, "tool_use", "id")


def _ids(message: RequestMessage, kind: str, field: str) -> set[str]:
    return {str(block.get(field)) for block in blocks(message.content) if block.get("type") == kind}
