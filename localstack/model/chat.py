"""Chat: answers from memory in the prompt, calls of tools, and reports of their results."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from localstack.model.filler import fill
from localstack.model.requests import Block, PromptRequest, blocks, text_of
from localstack.model.rulebook import FOLDER, sentences_of
from localstack.model.scripting import MARKER

FENCE = re.compile(r"<(\w+)>\n(.*?)\n?</\1>", re.DOTALL)
LINE = re.compile(r"^- (?P<key>[\w.-]+): (?P<value>.+?)(?: \(since [^)]*\))?$", re.MULTILINE)
ANSWER_FACTS = 3
KNOWN_FACTS = 5
ENOUGH_SHARED_WORDS = 2
SPEECH_RULES = tomllib.loads((FOLDER / "speech.toml").read_text("utf-8"))
LITTLE_WORDS = frozenset(SPEECH_RULES["little_words"].split())
POLITE = r"^(?:please |can you |could you )*"
TOOL_REQUESTS = (  # how the message begins, and a part of the name of the tool that it asks for
    (r"^sql:", "archive"),
    (POLITE + r"(?:search|look up|look for|find\b.*\bmemor)", "search"),
    (r"^what did i (?:say|tell you) about\b.*\b(?:earlier|before)\b", "search"),
    (POLITE + r"recall\b|^what happened\b", "recall"),
    (POLITE + r"(?:forget (?:that|what|my|about|everything)|stop remembering)\b", "forget"),
    (POLITE + r"(?:remember (?:that|this)|make a note)\b", "remember"),
)
COMMAND = re.compile(
    rf"^sql:\s*|^what did i (?:say|tell you) about\s*|{POLITE}(?:search|look up|look for|find|recall|remember)\b"
    r"(?: (?:your|the|my))?(?: (?:memory|memories|episodes?))?(?: (?:for|about|that|this))?[:,]?\s*",
    re.IGNORECASE,
)
RESULT_CHARACTERS = 400
RESULT_FENCE = re.compile(r"^</?\w+>$", re.MULTILINE)
DATED = re.compile(r"- \[(?P<day>\d{4}-\d{2}-\d{2})[^\]]*\] (?P<words>.+)")
AUTHOR = re.compile(r"^\[(?P<author>[^\]\s]+)\] ")
NOTE = re.compile(r"\(.*\)|\[.*\]")  # a tool's remark on its own result: today's date, that there is more


@dataclass(frozen=True)
class ProfileLine:
    key: str
    value: str

    @property
    def key_topic(self) -> str:
        return self.key.split(".")[0]

    def topic_words(self) -> set[str]:
        synonyms = " ".join(SPEECH_RULES["synonyms"].get(name, "") for name in (self.key, self.key_topic))
        return _words(f"{self.key.replace('.', ' ')} {self.value} {synonyms}")

    def to_phrase(self) -> str:
        if self.value.startswith("has "):
            return f"you have {self.value.removeprefix('has ')}"
        phrase = SPEECH_RULES["phrases"].get(self.key) or SPEECH_RULES["phrases"].get(self.key_topic)
        if phrase is None:
            return f"your {self.key.replace('.', ' ').replace('_', ' ')} is {self.value}"
        relation = self.key.split(".")[1] if "." in self.key else self.key_topic
        return str(phrase).format(value=self.value, relation=relation)


def chat_reply(prompt: PromptRequest) -> str:
    """Return facts of the profile that fit the message, else an earlier sentence, else "I do not know"."""
    message, author = _split_author(FENCE.sub("", MARKER.sub("", prompt.last_text())).strip())
    memory: dict[str, str] = dict(FENCE.findall(text_of(prompt.system)))
    profile = [ProfileLine(line["key"], line["value"]) for line in LINE.finditer(memory.pop("profile", ""))]
    if facts := _find_facts(profile, message):
        *first, last = (fact.to_phrase() for fact in facts)
        joined = f"{', '.join(first)} and {last}" if first else last
        return f"{joined[0].upper()}{joined[1:]}."
    spoken = (text_of(each.content) for each in prompt.messages[:-1] if each.role == "user")
    said = [_split_author(FENCE.sub("", text).strip()) for text in spoken]
    turns = [text for text, who in said if who == author]
    if quote := _find_sentence([*memory.values(), *turns], message):
        return f"Earlier I noted: “{quote}”"
    if message.endswith("?"):
        return "I do not know that yet. Tell me, and I will remember it."
    return "Thank you for telling me. I will keep it in mind."


def _split_author(text: str) -> tuple[str, str | None]:
    """Return a message without its author, and the author whom the prompt names in front of it."""
    found = AUTHOR.match(text)
    return (text[found.end() :], found["author"]) if found else (text, None)


def _find_facts(profile: list[ProfileLine], message: str) -> list[ProfileLine]:
    """Return the facts that share most words with the message; the first few for "what about me"."""
    if re.search(SPEECH_RULES["about_me"], message, re.IGNORECASE):
        return profile[:KNOWN_FACTS]
    asked = _words(message)
    shared = {fact: len(asked & fact.topic_words()) for fact in profile}
    best = max(shared.values(), default=0)
    return [fact for fact in profile if best and shared[fact] == best][:ANSWER_FACTS]


def _find_sentence(texts: list[str], message: str) -> str | None:
    """Return the sentence that shares most words with the message, the latest of several; no question."""
    asked = _words(message)
    sentences = [each for text in texts for each in sentences_of(text) if not each.endswith("?")]
    shared = {sentence: len(asked & _words(sentence)) for sentence in sentences}
    best = max(reversed(shared), key=lambda sentence: shared[sentence], default="")
    return best if shared.get(best, 0) >= ENOUGH_SHARED_WORDS else None


def _words(text: str) -> set[str]:
    """Return the words that mean something, each without its most common endings."""
    plain = re.findall(r"[^\W_]+", text.lower())
    return {re.sub(r"(?<=\w{2})(?:ing|es|ed|e|s)$", "", word) for word in plain if word not in LITTLE_WORDS}


def choose_call(prompt: PromptRequest) -> Block | None:
    """Return the tool_use block that the last message asks for, if any."""
    # What memory added to the message is not the user's request.
    message, _ = _split_author(FENCE.sub("", prompt.last_text()).strip())
    tool = _choose_tool(prompt, message.lower())
    if tool is None:
        return None
    arguments = fill(tool.get("input_schema", {"type": "object"}), COMMAND.sub("", message).strip())
    return {"type": "tool_use", "id": f"toolu_{uuid4().hex[:24]}", "name": tool["name"], "input": arguments}


def _choose_tool(prompt: PromptRequest, message: str) -> Block | None:
    choice = prompt.tool_choice
    kind = choice.type if choice else "auto"
    if kind == "none" or not prompt.tools:
        return None
    if choice and kind == "tool":
        return next((tool for tool in prompt.tools if tool["name"] == choice.name), None)
    part = next((part for pattern, part in TOOL_REQUESTS if re.search(pattern, message)), None)
    asked = next((tool for tool in prompt.tools if part and part in tool["name"]), None)
    return asked or (prompt.tools[0] if kind == "any" else None)


def find_results(prompt: PromptRequest) -> list[Block]:
    return [block for block in blocks(prompt.messages[-1].content) if block["type"] == "tool_result"]


def report(results: Sequence[Block]) -> str:
    """Return what the tools found in a sentence or two, as one would tell a person."""
    usable = [result for result in results if not result.get("is_error")]
    if not usable:
        return "I could not look that up just now."
    text = RESULT_FENCE.sub("", "\n".join(text_of(result.get("content") or "") for result in usable))
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not NOTE.fullmatch(line)]
    if all(line.startswith("nothing ") for line in lines):
        return "I found nothing about that."
    if all(line.startswith("noted") for line in lines):
        return "I have noted that."
    found = _read_table(lines) or [
        f"“{dated['words']}” ({dated['day']})" if (dated := DATED.fullmatch(line)) else line for line in lines
    ]
    return f"Here is what I found: {_join_findings(found)}"


def _read_table(lines: Sequence[str]) -> list[str]:
    """Return the rows of a table, each value after its column's name; none where the lines are no table."""
    table = [line.split(" | ") for line in lines]
    if len(table[0]) < 2 or len({len(cells) for cells in table}) > 1:  # noqa: PLR2004 - one column is a list
        return []
    return [
        ", ".join(f"{name} {cell}" for name, cell in zip(table[0], cells, strict=True)) for cells in table[1:]
    ]


def _join_findings(found: Sequence[str]) -> str:
    """Return as many whole findings as a few sentences hold, and the number of the others."""
    shown = [found[0][:RESULT_CHARACTERS]]
    for each in found[1:]:
        if len("; ".join((*shown, each))) > RESULT_CHARACTERS:
            break
        shown.append(each)
    more = len(found) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
