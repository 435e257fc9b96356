"""When the local model calls a tool, which one and with what; and what it says about the results."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from localstack.model.filler import fill
from localstack.model.request import Block, PromptRequest, blocks, text_of

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
RESULT_FENCE = re.compile(r"^</?\w+>$", re.MULTILINE)
DATED = re.compile(r"- \[(?P<day>\d{4}-\d{2}-\d{2})[^\]]*\] (?P<words>.+)")
NOTE = re.compile(r"\(.*\)|\[.*\]")
"""What a tool says of its own result: what day it is, that there are more."""


def tool_call(prompt: PromptRequest) -> Block | None:
    """Return the tool_use block the last message calls for, None when it calls for none."""
    tool = _choose_tool(prompt)
    if tool is None:
        return None
    said = COMMAND.sub("", _last_words(prompt)).strip()
    arguments = fill(tool.get("input_schema", {"type": "object"}), said)
    return {"type": "tool_use", "id": f"toolu_{uuid4().hex[:24]}", "name": tool["name"], "input": arguments}


def _choose_tool(prompt: PromptRequest) -> Block | None:
    choice = prompt.tool_choice
    kind = choice.type if choice else "auto"
    if kind == "none" or not prompt.tools:
        return None
    if choice and kind == "tool":
        return next((tool for tool in prompt.tools if tool["name"] == choice.name), None)
    return _asked_for(prompt) or (prompt.tools[0] if kind == "any" else None)


def _asked_for(prompt: PromptRequest) -> Block | None:
    said = _last_words(prompt).lower()
    for pattern, part in ASKING:
        if re.search(pattern, said):
            return next((tool for tool in prompt.tools if part in tool["name"]), None)
    return None


def _last_words(prompt: PromptRequest) -> str:
    return FENCED.sub("", text_of(prompt.messages[-1].content)).strip()


def results_of(prompt: PromptRequest) -> list[Block]:
    return [block for block in blocks(prompt.messages[-1].content) if block["type"] == "tool_result"]


def report(results: Sequence[Block]) -> str:
    """Say in a sentence or two what the tools found, as one would tell a person."""
    if all(result.get("is_error") for result in results):
        return "I could not look that up just now."
    lines = [
        line for result in results if not result.get("is_error") for line in _lines(result.get("content"))
    ]
    told = [line for line in lines if not NOTE.fullmatch(line)]
    if not told or all(line.startswith("nothing ") for line in told):
        return "I found nothing about that."
    if all(line.startswith("noted") for line in told):
        return "I have noted that."
    return f"Here is what I found: {_joined(_rows(told) or [_quoted(line) for line in told])}"


def _lines(content: Any) -> list[str]:
    """Return what a result says, without the fence that marks it as data."""
    text = RESULT_FENCE.sub("", text_of(content or ""))
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _quoted(line: str) -> str:
    """Return a dated line of memory as words and the day they are from."""
    dated = DATED.fullmatch(line)
    return f"“{dated['words']}” ({dated['day']})" if dated else line


def _rows(lines: Sequence[str]) -> list[str]:
    """Return the rows of a table, each value under its column's name; none where it is no table."""
    table = [line.split(" | ") for line in lines]
    if len(table[0]) < 2 or len({len(cells) for cells in table}) > 1:  # noqa: PLR2004 - one column is a list
        return []
    return [
        ", ".join(f"{name} {cell}" for name, cell in zip(table[0], cells, strict=True)) for cells in table[1:]
    ]


def _joined(found: Sequence[str]) -> str:
    """Return as much as a few sentences hold, whole ones, and how many more there are."""
    shown = [found[0][:RESULT_CHARACTERS]]
    for each in found[1:]:
        if len("; ".join((*shown, each))) > RESULT_CHARACTERS:
            break
        shown.append(each)
    more = len(found) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
