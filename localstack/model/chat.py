"""The chat answer: a sentence or two from the memory in the prompt that has to do with the message."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from localstack.model.faults import MARKER
from localstack.model.request import PromptRequest, text_of
from localstack.model.rulebook import FOLDER
from localstack.model.sentences import sentences_of

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
    def topic(self) -> str:
        return self.key.split(".")[0]

    def words(self) -> set[str]:
        of_topic = " ".join(SPEECH_RULES["synonyms"].get(name, "") for name in (self.key, self.topic))
        return _words(f"{self.key.replace('.', ' ')} {self.value} {of_topic}")

    def spoken(self) -> str:
        if self.value.startswith("has "):
            return f"you have {self.value.removeprefix('has ')}"
        phrase = SPEECH_RULES["phrases"].get(self.key) or SPEECH_RULES["phrases"].get(self.topic)
        relation = self.key.split(".")[1] if "." in self.key else self.topic
        if phrase is None:
            return f"your {self.key.replace('.', ' ').replace('_', ' ')} is {self.value}"
        return str(phrase).format(value=self.value, relation=relation)


def chat_reply(prompt: PromptRequest) -> str:
    message = FENCE.sub("", MARKER.sub("", text_of(prompt.messages[-1].content))).strip()
    memory = _fenced(text_of(prompt.system) if prompt.system else "")
    profile = [ProfileLine(line["key"], line["value"]) for line in LINE.finditer(memory.get("profile", ""))]
    if facts := _relevant(profile, message):
        return _sentence(fact.spoken() for fact in facts)
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
    shared = {fact: len(asked & fact.words()) for fact in profile}
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
