"""The Messages request as the real API validates it; a wrong one is refused in the real API's words.

What the real API demands of the order and content of messages, beyond the shape of each.

Errors of the local model, and how each of the two doors words them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Turn = tuple[str, list[dict[str, Any]]]


def complaint_about(turns: Sequence[Turn]) -> str | None:
    """Return the first complaint in the real API's words, None when there is none."""
    return next(_complaints(turns), None)


def _complaints(turns: Sequence[Turn]) -> Iterator[str]:
    if not turns:
        yield "messages: at least one message is required"
        return
    for index, (role, blocks) in enumerate(turns):
        yield from _role(role)
        yield from _content(index, blocks)
    if turns[0][0] != "user":
        yield 'messages: first message must use the "user" role'
    if turns[-1][0] != "user" and not _paused(turns[-1][1]):
        yield (
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    yield from _pairs(turns)


def _paused(blocks: Sequence[dict[str, Any]]) -> bool:
    """A turn that the provider paused over a tool of its own is sent back to be taken up again."""
    return any(block.get("type") == "server_tool_use" for block in blocks)


def _role(role: str) -> Iterator[str]:
    if role not in {"user", "assistant"}:
        yield (
            f'messages: Unexpected role "{role}". The Messages API accepts a top-level `system` parameter, '
            f'not "{role}" as an input message role.'
        )


def _content(index: int, blocks: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not blocks:
        yield f"messages.{index}: all messages must have non-empty content"
    for place, block in enumerate(blocks):
        if "type" not in block:
            yield f"messages.{index}.content.{place}.type: Field required"
        elif block["type"] == "text" and not str(block.get("text", "")).strip():
            yield "messages: text content blocks must be non-empty"


def _pairs(turns: Sequence[Turn]) -> Iterator[str]:
    calls: set[str] = set()
    for index, (_, blocks) in enumerate(turns):
        results = {str(block.get("tool_use_id")) for block in blocks if block["type"] == "tool_result"}
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
        calls = {str(block.get("id")) for block in blocks if block["type"] == "tool_use"}


BEDROCK = {
    "invalid_request_error": (400, "ValidationException"),
    "authentication_error": (403, "AccessDeniedException"),
    "rate_limit_error": (429, "ThrottlingException"),
    "overloaded_error": (503, "ServiceUnavailableException"),
    "api_error": (500, "InternalServerException"),
}
ANTHROPIC = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}


class ModelServerError(Exception):
    """What the caller did wrong or what the model claims to suffer from; `kind` is Anthropic's error type."""

    def __init__(self, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.headers = kind, message, dict(headers or {})

    @classmethod
    def invalid_request(cls, message: str) -> "ModelServerError":
        return cls("invalid_request_error", message)

    def to_body(self) -> dict[str, object]:
        return {"type": "error", "error": {"type": self.kind, "message": self.message}}


Block = dict[str, Any]
TOOL_NAME = r"[a-zA-Z0-9_-]{1,128}"


class CacheControl(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class RequestMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: str
    content: str | list[Block]


def _checked_tool(tool: Block) -> Block:
    """Check a definition and keep it as it came: the order of its keys is part of the cached prefix."""
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
    """What the model reads.

    The body of count_tokens, and all of a Messages request that costs input tokens.
    """

    model_config = ConfigDict(extra="forbid")
    model: str = Field(min_length=1)
    messages: list[RequestMessage]
    system: str | list[Block] = ""
    tools: list[Annotated[Block, AfterValidator(_checked_tool)]] = Field(default_factory=list)
    tool_choice: ToolChoice | None = None
    output_config: OutputConfig = Field(default_factory=OutputConfig)
    cache_control: CacheControl | None = None
    thinking: dict[str, Any] | None = None
    speed: str | None = None


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
        """Return what the answer is about: the last message; where a schema is asked for, every user message.

        A client that asks for a broken answer to be repaired puts its complaint last and the question before
        it.
        """
        messages = self.messages if self.output_config.format else self.messages[-1:]
        return "\n".join(text_of(message.content) for message in messages if message.role == "user")


def parse_request(shape: type[PromptRequestT], body: object) -> PromptRequestT:
    """Return the request, or raise the first complaint the real API would make about it."""
    try:
        prompt = shape.model_validate(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ModelServerError.invalid_request(f"{place}: {message}" if place else message) from invalid
    if complaint := complaint_about([(message.role, blocks(message.content)) for message in prompt.messages]):
        raise ModelServerError.invalid_request(complaint)
    return prompt


def blocks(content: str | list[Block]) -> list[Block]:
    """Return a content as the blocks it stands for: a string is short for one text block."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def text_of(content: str | list[Block]) -> str:
    return "\n".join(str(block["text"]) for block in blocks(content) if block.get("type") == "text")
