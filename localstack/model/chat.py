"""The chat answer: a sentence or two from the memory in the prompt that has to do with the message.

When the local model calls a tool, which one and with what; and what it says about the results.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from localstack.model.filler import fill
from localstack.model.requests import Block, PromptRequest, blocks, text_of
from localstack.model.rulebook import FOLDER, sentences_of
from localstack.model.scripting import MARKER

FENCE = re.compile(r"<(\w+)>\n(.*?)\n?</\1>", re.DOTALL)
LINE = re.compile(r"^- (?P<key>[\w.-]+): (?P<value>.+?)(?: \(since [^)]*\))?$", re.MULTILINE)
SAID_FACTS = 3
KNOWN_FACTS = 5
ENOUGH_SHARED_WORDS = 2
SPEECH_RULES = tomllib.loads((FOLDER / "speech.toml").read_text("utf-8"))
LITTLE_WORDS = frozenset(SPEECH_RULES["little_words"].split())


@dataclass(frozen=True)
class ProfileLine:
    key: str
    value: str

    @property
    def key_topic(self) -> str:
        return self.key.split(".")[0]

    def topic_words(self) -> set[str]:
        of_topic = " ".join(SPEECH_RULES["synonyms"].get(name, "") for name in (self.key, self.key_topic))
        return _words(f"{self.key.replace('.', ' ')} {self.value} {of_topic}")

    def to_phrase(self) -> str:
        if self.value.startswith("has "):
            return f"you have {self.value.removeprefix('has ')}"
        phrase = SPEECH_RULES["phrases"].get(self.key) or SPEECH_RULES["phrases"].get(self.key_topic)
        relation = self.key.split(".")[1] if "." in self.key else self.key_topic
        if phrase is None:
            return f"your {self.key.replace('.', ' ').replace('_', ' ')} is {self.value}"
        return str(phrase).format(value=self.value, relation=relation)


def chat_reply(prompt: PromptRequest) -> str:
    message = FENCE.sub("", MARKER.sub("", text_of(prompt.messages[-1].content))).strip()
    memory = _fenced(text_of(prompt.system) if prompt.system else "")
    profile = [ProfileLine(line["key"], line["value"]) for line in LINE.finditer(memory.get("profile", ""))]
    if facts := _relevant(profile, message):
        return _sentence(fact.to_phrase() for fact in facts)
    if quote := _closest(_said_before(prompt, memory), message):
        return f"Earlier I noted: “{quote}”"
    if message.endswith("?"):
        return "I do not know that yet. Tell me, and I will remember it."
    return "Thank you for telling me. I will keep it in mind."


def _fenced(text: str) -> dict[str, str]:
    return dict(FENCE.findall(text))


def _relevant(profile: list[ProfileLine], message: str) -> list[ProfileLine]:
    """Return the facts that share most words with the message.

    A question about oneself gets the first few.
    """
    if re.search(SPEECH_RULES["about_me"], message, re.IGNORECASE):
        return profile[:KNOWN_FACTS]
    asked = _words(message)
    shared = {fact: len(asked & fact.topic_words()) for fact in profile}
    best = max(shared.values(), default=0)
    return [fact for fact in profile if best and shared[fact] == best][:SAID_FACTS]


def _said_before(prompt: PromptRequest, memory: dict[str, str]) -> list[str]:
    """Return what else the prompt holds, the latest last.

    Other fenced blocks, then the user's earlier turns.
    """
    noted = [body for name, body in memory.items() if name != "profile"]
    turns = [text_of(message.content) for message in prompt.messages[:-1] if message.role == "user"]
    return [sentence for text in [*noted, *turns] for sentence in sentences_of(text)]


def _closest(sentences: list[str], message: str) -> str | None:
    asked = _words(message)
    shared = {sentence: len(asked & _words(sentence)) for sentence in sentences if not sentence.endswith("?")}
    best = max(reversed(shared), key=lambda sentence: shared[sentence], default=None)
    return best if best is not None and shared[best] >= ENOUGH_SHARED_WORDS else None


def _words(text: str) -> set[str]:
    """Return the words that mean something, each without its commonest endings."""
    plain = re.findall(r"[^\W_]+", text.lower())
    return {re.sub(r"(?<=\w{2})(?:ing|es|ed|e|s)$", "", word) for word in plain if word not in LITTLE_WORDS}


def _sentence(phrases: Iterable[str]) -> str:
    *first, last = phrases
    joined = f"{', '.join(first)} and {last}" if first else last
    return f"{joined[0].upper()}{joined[1:]}."


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
