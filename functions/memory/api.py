"""The wire format of the data API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from membus.domain.event import EventType, Moment
from membus.domain.explaining import FactExplanation
from membus.domain.facts import Fact, FactVersion
from membus.domain.identity import Id


def require_written_moment(value: object) -> object:
    """A bare number says neither its unit nor its zone."""
    if value is not None and not isinstance(value, str):
        raise ValueError("write the moment as text with its zone, e.g. 2026-11-20T12:00:00Z")
    return value


class EpisodeIn(BaseModel):
    """What happened to the agent that the path names; what is missing is stamped at the door."""

    model_config = ConfigDict(extra="forbid")

    event_id: Id | None = None
    user_id: Id
    session_id: Id | None = None
    type: EventType
    occurred_at: Annotated[Moment | None, BeforeValidator(require_written_moment)] = None
    payload: dict[str, Any] = Field(default_factory=dict)
    remember: bool = True


class EventIn(EpisodeIn):
    """An event as a producer sends it; what is missing is stamped at the door."""

    agent_id: Id = "default"


class EventBatch(BaseModel):
    """Items are checked one by one, so that one bad event does not refuse its neighbours."""

    model_config = ConfigDict(extra="forbid")

    events: list[Annotated[Any, WithJsonSchema(EventIn.model_json_schema())]] = Field(
        min_length=1, max_length=100
    )


class AcceptedEvent(BaseModel):
    index: int
    event_id: str


class RejectedEvent(BaseModel):
    index: int
    code: str
    detail: str


class EventReceipt(BaseModel):
    accepted: list[AcceptedEvent]
    rejected: list[RejectedEvent]


class ProfileOut(BaseModel):
    """`text` is what a prompt would carry, `tokens` its estimate."""

    version: int
    facts: list[Fact]
    text: str
    tokens: int


class FactPage(BaseModel):
    items: list[Fact]
    next_cursor: str | None


class ExplainedFact(Fact):
    """A fact, and why it is believed where that was asked for."""

    explanation: FactExplanation | None = Field(
        default=None, exclude_if=lambda explanation: explanation is None
    )


class FactHistory(BaseModel):
    """`valid_until` is when the value stopped to hold, as far as anybody knows by now."""

    items: list[FactVersion]
    next_cursor: str | None


class Health(BaseModel):
    status: Literal["ok"]
    environment: str
