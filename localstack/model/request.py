"""The Messages request as the real API validates it; a wrong one is refused in the real API's words."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from localstack.model.errors import ModelServerError
from localstack.model.turns import complaint_about

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

    def said(self) -> str:
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
        raise ModelServerError.invalid(f"{place}: {message}" if place else message) from invalid
    if complaint := complaint_about([(message.role, blocks(message.content)) for message in prompt.messages]):
        raise ModelServerError.invalid(complaint)
    return prompt


def blocks(content: str | list[Block]) -> list[Block]:
    """Return a content as the blocks it stands for: a string is short for one text block."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def text_of(content: str | list[Block]) -> str:
    return "\n".join(str(block["text"]) for block in blocks(content) if block.get("type") == "text")
