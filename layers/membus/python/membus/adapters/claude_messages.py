"""Prompts and replies in the words of Anthropic's Messages API."""

from collections.abc import Iterable, Sequence
from typing import Any

from anthropic import transform_schema
from anthropic.types import Message
from anthropic.types import Usage as Counted

from membus.domain.prompt import (
    ChatMessage,
    ModelReply,
    Prompt,
    ProviderBlocks,
    StopReason,
    SystemBlock,
    TokenUsage,
    ToolCall,
    ToolDefinition,
    UnusableReplyError,
)
from membus.ports.model import ModelRequest

STOP_REASONS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
}
PAUSE_STOP_REASON = "pause_turn"
THINKING_BY_MODEL: Sequence[tuple[str, dict[str, str]]] = (
    ("claude-sonnet-5-5", {"type": "between_tools"}),
    ("claude-sonnet-5", {"type": "disabled"}),
    ("claude-haiku-5-5", {"type": "disabled"}),
)
"""Models that think unless told not to, and how each is told (platform.claude.com, "Turn off up-front thinking").

Thoughts are paid as output and count against `max_tokens`, which our tasks size for the answer alone.
"""


def build_request_body(question: ModelRequest, model: str) -> dict[str, Any]:
    """Return the request's parameters.

    Absent parts are left out, so that the cached prefix stays as it is.
    """
    prompt = question.prompt
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": question.max_tokens,
        "system": [_system_block(block) for block in prompt.system],
        "messages": [_chat_message(said, model) for said in prompt.messages],
    }
    if thinking := next((how for name, how in THINKING_BY_MODEL if name in model), None):
        body["thinking"] = thinking
    if question.schema is not None:
        schema = transform_schema(dict(question.schema))
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body | _tool_parameters(prompt)


def build_reply(messages: Sequence[Message], question: ModelRequest, model: str) -> ModelReply:
    """Return the turn that the messages add up to: several where the provider paused in between.

    Raises:
        WastedError: it has no end, an end that nobody knows, or no content. An answer in a schema may be
            empty:
            it does not fit, and that can be repaired.
    """
    last, usage = messages[-1], sum_usage(convert_usage(message.usage) for message in messages)
    stop_reason = STOP_REASONS.get(last.stop_reason or "")
    text = "".join(block.text for message in messages for block in message.content if block.type == "text")
    calls = (
        _tool_calls(last) if stop_reason == "tool_use" else ()
    )  # the arguments of others may have been cut
    if stop_reason is None or not (text or calls or question.schema or stop_reason == "refusal"):
        raise UnusableReplyError("the model's answer was cut off", reason="cut_off", usage=usage)
    verbatim = ProviderBlocks(model=model, blocks=tuple(provider_blocks_of(messages))) if calls else None
    return ModelReply(
        text=text,
        stop_reason=stop_reason,
        model=last.model,
        usage=usage,
        calls=calls,
        verbatim=verbatim,
    )


def provider_blocks_of(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the blocks as the provider wants them back."""
    return [block.to_dict(mode="json") for message in messages for block in message.content]


def convert_usage(counted: Counted) -> TokenUsage:
    return TokenUsage(
        input=counted.input_tokens,
        output=counted.output_tokens,
        cache_read=counted.cache_read_input_tokens or 0,
        cache_write=counted.cache_creation_input_tokens or 0,
    )


def sum_usage(usages: Iterable[TokenUsage]) -> TokenUsage:
    return sum(usages, start=TokenUsage(input=0, output=0))


def _tool_calls(message: Message) -> tuple[ToolCall, ...]:
    used = (block for block in message.content if block.type == "tool_use")
    return tuple(ToolCall(call_id=block.id, name=block.name, arguments=dict(block.input)) for block in used)


def _tool_parameters(prompt: Prompt) -> dict[str, Any]:
    if not prompt.tools:
        return {}
    forbidden = {} if prompt.calling else {"tool_choice": {"type": "none"}}
    return {"tools": [_tool_definition(tool) for tool in prompt.tools], **forbidden}


def _tool_definition(tool: ToolDefinition) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _system_block(block: SystemBlock) -> dict[str, Any]:
    return {"type": "text", "text": block.text, **_cache_control(cached=block.cached)}


def _chat_message(said: ChatMessage, model: str) -> dict[str, Any]:
    """Words alone are sent as words; a model gets its own blocks back, and another's only what they say."""
    if said.verbatim and said.verbatim.model == model:
        return {"role": said.role, "content": list(said.verbatim.blocks)}
    if not (said.calls or said.results or said.cached):
        return {"role": said.role, "content": said.text}
    blocks: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": each.call_id, "content": each.content, "is_error": each.failed}
        for each in said.results
    ]
    blocks += [{"type": "text", "text": said.text}] if said.text else []
    blocks += [
        {"type": "tool_use", "id": each.call_id, "name": each.name, "input": each.arguments}
        for each in said.calls
    ]
    return {"role": said.role, "content": [*blocks[:-1], blocks[-1] | _cache_control(cached=said.cached)]}


def _cache_control(*, cached: bool) -> dict[str, Any]:
    return {"cache_control": {"type": "ephemeral"}} if cached else {}
