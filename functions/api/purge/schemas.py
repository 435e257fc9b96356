"""The JSON of a purge before it is begun."""

from pydantic import AwareDatetime, BaseModel, Field


class PurgedEvent(BaseModel):
    """An event that a purge would take."""

    event_id: str
    type: str | None = Field(description="null where the event is in the archive alone")
    occurred_at: AwareDatetime | None


class ChangedFact(BaseModel):
    """A fact that rests on the events; `after` is null where nothing else says it."""

    key: str
    before: str | None
    after: str | None


class PurgePreview(BaseModel):
    """What a purge would take; nothing is changed.

    A turn of chat goes with its answer, and the summaries of its conversation begin anew. Exports of the user
    go, too: they hold the words.
    """

    events: list[PurgedEvent]
    facts: list[ChangedFact]
    observations: int
    turns: int
