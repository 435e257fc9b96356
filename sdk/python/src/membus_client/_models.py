"""What the API answers, as far as callers need types; fields of newer versions are kept as they come."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Provenance(Model):
    event_id: str
    event_type: str
    origin: str
    agent_id: str
    quote: str
    rule: str | None = None
    model: str | None = None
    prompt_version: str | None = None


class Fact(Model):
    key: str
    value: str | None
    kind: str
    trust: str
    confidence: float
    valid_from: datetime
    valid_until: datetime | None = None
    learned_at: datetime
    version: int
    provenance: Provenance
    replaced: str | None = None
    pinned: bool = False


class ExplainedFact(Fact):
    explanation: dict[str, Any] | None = None


class FactVersion(Model):
    key: str
    value: str | None
    version: int
    current: bool
    valid_from: datetime
    valid_until: datetime | None = None
    provenance: Provenance


class FactResult(Model):
    """What became of one fact of a batch: its `version`, or `code` and `detail` of why it was not set."""

    index: int
    key: str | None = None
    version: int | None = None
    code: str | None = None
    detail: str | None = None


class Profile(Model):
    """`text` is ready for a prompt, `tokens` its estimated size."""

    facts: list[Fact]
    text: str
    tokens: int
    version: int


class AcceptedEvent(Model):
    index: int
    event_id: str
    duplicate: bool = False
    differs: bool = False
    note: str | None = None


class RejectedEvent(Model):
    index: int
    code: str
    detail: str


class EventReceipt(Model):
    accepted: list[AcceptedEvent]
    rejected: list[RejectedEvent]


class EventOutcome(Model):
    """What became of an event; `status` is `waiting` until it has been read."""

    event_id: str
    status: str
    facts: list[dict[str, Any]]
    review: list[dict[str, Any]]
    refused: list[dict[str, Any]]


class Episode(Model):
    event_id: str
    type: str
    user_id: str
    agent_id: str
    session_id: str | None
    occurred_at: datetime
    payload: dict[str, Any]
    tier: str


class ReviewItem(Model):
    quarantine_id: str
    key: str
    value: str | None
    reason: str
    provenance: Provenance


class SearchResult(Model):
    id: str
    kind: str
    text: str
    score: float
    occurred_at: datetime
    source: dict[str, Any]
    metadata: dict[str, Any]
    explain: dict[str, Any] | None = None


class SearchResults(Model):
    """`degraded` says that a part of memory could not be searched; `pending` counts texts not yet embedded."""

    results: list[SearchResult]
    degraded: bool
    pending: int | None


class Memory(Model):
    id: str
    text: str
    user_id: str | None
    agent_id: str | None
    metadata: dict[str, Any]
    expires_at: datetime | None
    version: int


class MemoryReceipt(Model):
    index: int
    id: str
    version: int
    merged: bool
    similar_to: list[str]
    vector_state: str


class Conversation(Model):
    conversation_id: str
    user_id: str
    agent_id: str
    title: str | None
    status: str
    members: list[str]
    message_count: int
    version: int


class Message(Model):
    message_id: str
    role: str
    content: str
    author: str
    status: str
    created_at: datetime


class ChatAnswer(Model):
    """A stored answer; `context` says how many tokens each section of the prompt took."""

    message: Message
    usage: dict[str, Any] = Field(default_factory=dict)
    context: dict[str, Any] = Field(default_factory=dict)
    stop_reason: str | None = None

    @property
    def text(self) -> str:
        return self.message.content


class ChatPiece(Model):
    """The next words of an answer. Where it `begins`, the words before it are void: the answer starts anew."""

    text: str
    begins: bool
    message_id: str


class State(Model):
    data: dict[str, Any]
    version: int
    expires_at: datetime


class StateInfo(Model):
    session_id: str
    version: int
    expires_at: datetime


class Job(Model):
    """An erasure, an export, or archived episodes on their way back."""

    job_id: str
    kind: str
    status: str


class PurgePreview(Model):
    """What a purge would take: events, the facts that rest on them, and turns of chat."""

    events: list[dict[str, Any]]
    facts: list[dict[str, Any]]
    observations: int
    turns: int


class Usage(Model):
    items: list[dict[str, Any]]
    total: dict[str, Any]
    budget: dict[str, Any]
    events: int


class Settings(Model):
    version: int
    changed_at: datetime | None
    settings: dict[str, Any]


class Health(Model):
    status: str
    environment: str
