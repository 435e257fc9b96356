"""What the API answers, as far as the demo reads it; fields it does not know are let pass."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Accepted(Answer):
    index: int
    event_id: str


class Rejected(Answer):
    index: int
    code: str
    detail: str


class Receipt(Answer):
    accepted: tuple[Accepted, ...] = ()
    rejected: tuple[Rejected, ...] = ()


class Provenance(Answer):
    event_id: str
    event_type: str
    quote: str | None = None
    rule: str | None = None
    model: str | None = None


class Fact(Answer):
    key: str
    value: str
    kind: str
    trust: str
    valid_from: datetime
    replaced: str | None = None
    provenance: Provenance


class Profile(Answer):
    version: int
    facts: tuple[Fact, ...] = ()


class Facts(Answer):
    items: tuple[Fact, ...] = ()
    next_cursor: str | None = None


class Conversation(Answer):
    conversation_id: str


class Section(Answer):
    name: str
    tokens: int


class Context(Answer):
    """Exactly what a turn would send, by section; tokens are estimates."""

    sections: tuple[Section, ...]
    budget: int
    total_tokens: int
    facts: tuple[str, ...] = ()


class Message(Answer):
    content: str


class Usage(Answer):
    """Tokens as the model's provider counted them; `input` leaves out what its cache held or took in."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0

    @property
    def sent(self) -> int:
        return self.input + self.cache_read + self.cache_write


class Reply(Answer):
    message: Message
    usage: Usage
