"""When the local model calls a tool, which one and with what; and what it says about the results."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from localstack.model.filler import fill
from localstack.model.request import Block, Prompt, blocks, text_of

POLITE = r"^(?:please |can you |could you )*"
ASKING: Sequence[tuple[str, str]] = (  # how the message begins, part of the name of the tool it calls for
    (r"^sql:", "archive"),
    (POLITE + r"(?:search|look up|look for|find\b.*\bmemor)", "search"),
    (r"^what did i (?:say|tell you) about\b.*\b(?:earlier|before)\b", "search"),
    (POLITE + r"recall\b|^what happened\b", "recall"),
    (POLITE + r"(?:remember (?:that|this)|make a note)\b", "remember"),
)
COMMAND = re.compile(
    rf"^sql:\s*|^what did i (?:say|tell you) about\s*|{POLITE}(?:search|look up|look for|find|recall|remember)\b"
    r"(?: (?:your|the|my))?(?: (?:memory|memories|episodes?))?(?: (?:for|about|that|this))?[:,]?\s*",
    re.IGNORECASE,
)
FENCED = re.compile(r"<(\w+)>\n.*?\n</\1>\s*", re.DOTALL)
"""What memory brought with the message is not what the user says."""
RESULT_CHARACTERS = 400


def tool_call(prompt: Prompt) -> Block | None:
    """Return the tool_use block the last message calls for, None when it calls for none."""
    tool = _tool(prompt)
    if tool is None:
        return None
    said = COMMAND.sub("", _said(prompt)).strip()
    arguments = fill(tool.get("input_schema", {"type": "object"}), said)
    return {"type": "tool_use", "id": f"toolu_{uuid4().hex[:24]}", "name": tool["name"], "input": arguments}


def _tool(prompt: Prompt) -> Block | None:
    choice = prompt.tool_choice
    kind = choice.type if choice else "auto"
    if kind == "none" or not prompt.tools:
        return None
    if choice and kind == "tool":
        return next((tool for tool in prompt.tools if tool["name"] == choice.name), None)
    return _asked_for(prompt) or (prompt.tools[0] if kind == "any" else None)


def _asked_for(prompt: Prompt) -> Block | None:
    said = _said(prompt).lower()
    for pattern, part in ASKING:
        if re.search(pattern, said):
            return next((tool for tool in prompt.tools if part in tool["name"]), None)
    return None


def _said(prompt: Prompt) -> str:
    return FENCED.sub("", text_of(prompt.messages[-1].content)).strip()


def results_of(prompt: Prompt) -> list[Block]:
    return [block for block in blocks(prompt.messages[-1].content) if block["type"] == "tool_result"]


def report(results: Sequence[Block]) -> str:
    """Say in a sentence what the tools found."""
    if all(result.get("is_error") for result in results):
        return "I could not look that up just now."
    found = " ".join(_words(result.get("content")) for result in results if not result.get("is_error"))
    return f"Here is what I found: {found[:RESULT_CHARACTERS]}" if found.strip() else "I found nothing about that."


def _words(content: Any) -> str:
    return " ".join(text_of(content or "").split())
