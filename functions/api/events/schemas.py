"""The JSON of events, and of what became of each."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, WithJsonSchema

from functions.api.fields import BATCH_SIZE, WrittenMoment, request_body
from membus.core.event import DEFAULT_AGENT, EventType
from membus.core.identity import Id
from membus.facts.candidates import VerdictReason

EventStatus = Literal["read", "recorded", "waiting", "rules_only", "left_out"]
STATUS_DESCRIPTION = (
    "`read`: rules and model have read it; `recorded`: it is kept, and there is nothing to learn from it;"
    " `waiting`: it is recorded and will be read; `rules_only`: no budget was left for the model;"
    " `left_out`: it was not to be remembered, or was erased"
)


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

    agent_id: Id = DEFAULT_AGENT


class EventBatch(BaseModel):
    """Items are checked one by one, so that one bad event does not refuse its neighbours."""

    model_config = request_body()

    events: list[Annotated[Any, WithJsonSchema(EventIn.model_json_schema())]] = BATCH_SIZE


class AcceptedEvent(BaseModel):
    """`duplicate` marks a copy of an event that is already taken, `differs` one with other content.

    The note `unknown_type` says that no rule and no model reads events like this one: it is kept and found by
    search.
    """

    index: int
    event_id: str
    duplicate: bool = Field(default=False, exclude_if=lambda said: not said)
    differs: bool = Field(default=False, exclude_if=lambda said: not said)
    note: Literal["unknown_type"] | None = Field(default=None, exclude_if=lambda note: note is None)


class RejectedEvent(BaseModel):
    """`index` is its place in the batch, `code` is stable."""

    index: int
    code: str
    detail: str


class EventReceipt(BaseModel):
    """What was taken of a batch, and what was not."""

    accepted: list[AcceptedEvent]
    rejected: list[RejectedEvent]


class LearnedFact(BaseModel):
    """A fact that the event states, or with `denies` ends; its history says whether it is current."""

    key: str
    value: str | None
    denies: bool = False


class DoubtfulFact(BaseModel):
    """A proposal that waits for review, or was refused."""

    attribute: str
    value: str
    reason: VerdictReason


class EventOutcome(BaseModel):
    """What became of an event."""

    event_id: str
    user_id: str
    status: EventStatus = Field(description=STATUS_DESCRIPTION)
    type: str | None = Field(description="null where the event is in the archive alone, or left out")
    occurred_at: AwareDatetime | None
    extractor: str | None = Field(description="the version of rules, prompt and validation that has read it")
    facts: list[LearnedFact]
    counted_by: list[str] = Field(description="rules that count this event; they learn from several together")
    review: list[DoubtfulFact]
    refused: list[DoubtfulFact]
    notes: list[str] = Field(description="what of the event was not understood, such as its time zone")
