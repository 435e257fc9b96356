"""What is sent to a model and what comes back, in no vendor's words."""

from typing import Literal

from membus.domain.identity import Record


class Block(Record):
    """A part of the system text; `cached` asks the provider to cache everything up to its end."""

    name: str
    text: str
    cached: bool = False


class Said(Record):
    role: Literal["user", "assistant"]
    text: str


class Prompt(Record):
    system: tuple[Block, ...]
    messages: tuple[Said, ...]


class Usage(Record):
    """Tokens as the provider counted them: fresh input, input read from and written to its cache, output."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


class Reply(Record):
    text: str
    stop_reason: str
    model: str
    usage: Usage


class Section(Record):
    """A part of a prompt and its estimated tokens."""

    name: str
    tokens: int


class Footprint(Record):
    """Where the tokens of a prompt went; `budget` is the ceiling that `total_tokens` never passes."""

    sections: tuple[Section, ...]
    budget: int
    total_tokens: int
