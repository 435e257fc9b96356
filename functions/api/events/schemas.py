"""The JSON of events, and of what became of each."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

from functions.api.fields import BATCH_SIZE, WrittenMoment, request_body
from membus.core.event import EventType
from membus.core.identity import Id


class EpisodeIn(BaseModel):
    """What happened to the agent that the path names; what is missing is stamped by the API."""

    model_config = request_body()

    event_id: Id | None = None
    user_id: Id
    session_id: Id | None = None
    type: EventType
    occurred_at: WrittenMoment = None
    payload: dict[str, Any] = Field(default_factory=dict)
    remember: bool = True


class EventIn(EpisodeIn):
    """An event as a producer sends it; what is missing is stamped by the API."""

    agent_id: Id = "default"


class EventBatch(BaseModel):
    """Items are checked one by one, so that one bad event does not refuse its neighbours."""

    model_config = request_body()

    events: list[Annotated[Any, WithJsonSchema(EventIn.model_json_schema())]] = BATCH_SIZE


class AcceptedEvent(BaseModel):
    """`duplicate` marks a copy of an event that is already taken, `differs` one with other content."""

    index: int
    event_id: str
    duplicate: bool = Field(default=False, exclude_if=lambda said: not said)
    differs: bool = Field(default=False, exclude_if=lambda said: not said)


class RejectedEvent(BaseModel):
    index: int
    code: str
    detail: str


class EventReceipt(BaseModel):
    accepted: list[AcceptedEvent]
    rejected: list[RejectedEvent]
