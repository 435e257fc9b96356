"""The prompt as the cache and the token count see it.

Tools, then the output format, system text and messages.
"""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from localstack.model.errors import ModelServerError
from localstack.model.prompt_cache import PromptSegment
from localstack.model.request import Block, CacheControl, PromptRequest, blocks
from localstack.model.tokens import count

IMAGE_TOKENS = 1600  # what the real API counts at most for an image it does not shrink


def segments_of(prompt: PromptRequest) -> list[PromptSegment]:
    found = [*_tools(prompt), *_format(prompt), *_system(prompt), *_messages(prompt)]
    if prompt.cache_control and found:
        last = found[-1]
        found[-1] = PromptSegment(last.text, last.tokens, last.ttl or prompt.cache_control.ttl)
    return found


def input_tokens(prompt: PromptRequest) -> int:
    return sum(segment.tokens for segment in segments_of(prompt))


def _tools(prompt: PromptRequest) -> Iterator[PromptSegment]:
    for tool in prompt.tools:
        yield _segment("tool", tool)


def _format(prompt: PromptRequest) -> Iterator[PromptSegment]:
    if prompt.output_config.format:
        yield _segment("format", prompt.output_config.format.json_schema)


def _system(prompt: PromptRequest) -> Iterator[PromptSegment]:
    for block in blocks(prompt.system) if prompt.system else []:
        yield _segment("system", block)


def _messages(prompt: PromptRequest) -> Iterator[PromptSegment]:
    for place, message in enumerate(prompt.messages):
        for block in blocks(message.content):
            yield _segment(f"{place}.{message.role}", block)


def _segment(place: str, block: Block) -> PromptSegment:
    """The breakpoint itself is no part of the prefix: it may move without a miss."""
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    return PromptSegment(f"{place}:{json.dumps(bare, ensure_ascii=False)}", _tokens(bare), _ttl(block))


def _ttl(block: Block) -> str | None:
    control = block.get("cache_control")
    try:
        return CacheControl.model_validate(control).ttl if control else None
    except ValidationError as invalid:
        raise ModelServerError.invalid("cache_control: type is 'ephemeral' and ttl '5m' or '1h'") from invalid


def _tokens(block: Block) -> int:
    if block.get("type") == "image":
        return IMAGE_TOKENS
    return count(_read_image(block))


def _read_image(block: Any) -> str:
    """Return the text the model reads of a block: its words, else the whole block as JSON."""
    if isinstance(block, str):
        return block
    if isinstance(block, list):
        return "\n".join(_read_image(part) for part in block)
    kind = block.get("type")
    if kind == "text":
        return str(block.get("text", ""))
    if kind == "tool_result":
        return _read_image(block.get("content") or "")
    return json.dumps(block, ensure_ascii=False)
