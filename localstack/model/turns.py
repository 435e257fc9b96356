"""What the real API demands of the order and content of messages, beyond the shape of each."""

from collections.abc import Iterator, Sequence
from typing import Any

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
