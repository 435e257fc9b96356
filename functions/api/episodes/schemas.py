"""The JSON of episodes, and of the restore of archived episodes from a storage class that takes hours."""

import base64
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, WithJsonSchema, model_validator

from functions.api.events.schemas import EpisodeIn
from functions.api.fields import BATCH_SIZE, request_body
from membus.core.errors import RestoreInProgressError
from membus.core.event import EventOrigin, EventType, Moment
from membus.core.identity import Id, Record
from membus.episodes.model import Episode, Tier

EPISODE_EXAMPLE: dict[str, Any] = {
    "user_id": "ada",
    "session_id": "s-1",
    "type": "message.sent",
    "payload": {"text": "I moved to Porto."},
}


class EpisodeBatch(BaseModel):
    """Items are checked one by one, so that one bad episode does not refuse its neighbours.

    A body that is one episode, without the list around it, is a batch of one.
    """

    model_config = request_body({"episodes": [EPISODE_EXAMPLE]})

    episodes: list[Annotated[Any, WithJsonSchema(EpisodeIn.model_json_schema())]] = BATCH_SIZE

    @model_validator(mode="before")
    @classmethod
    def _accept_single_episode(cls, body: Any) -> Any:
        is_single = isinstance(body, dict) and "type" in body and "episodes" not in body
        return {"episodes": [body]} if is_single else body


class EpisodeRange(Record):
    """The range that a request names; what it left out is None."""

    start: Moment | None = None
    end: Moment | None = None
    session_id: Id | None = None
    user_id: Id | None = None


class EpisodeOut(BaseModel):
    """An event as memory holds it. `tier` says how near it lies: `cold` ones come from the archive."""

    event_id: Id
    user_id: Id
    agent_id: Id
    session_id: Id | None
    type: EventType
    occurred_at: AwareDatetime
    payload: dict[str, Any]
    origin: EventOrigin
    learned_at: AwareDatetime
    tier: Tier

    @classmethod
    def from_episode(cls, episode: Episode) -> Self:
        return cls(
            **episode.event.model_dump(include=set(cls.model_fields)),
            learned_at=episode.learned_at,
            tier=episode.tier,
        )


class EpisodePage(BaseModel):
    """Oldest first. A page may be empty and still have a cursor: there is more to look through."""

    items: list[EpisodeOut]
    next_cursor: str | None


RESTORE_JOB_PREFIX = "thaw-"


class RestoreJobOut(BaseModel):
    """The same request answers once the job is done; asking earlier costs nothing and begins nothing anew."""

    job_id: str = Field(description="`GET /v1/jobs/{job_id}` tells how far it is")
    kind: Literal["thaw"] = "thaw"
    status: Literal["running", "done"]
    object: str
    retry_after_seconds: int

    @classmethod
    def from_error(cls, error: RestoreInProgressError) -> "RestoreJobOut":
        """Return the job, whose id holds the object's name, so that no job needs to be stored."""
        _, _, name = error.key.partition("/")
        job_id = RESTORE_JOB_PREFIX + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
        wait = error.retry_after_seconds
        return cls(job_id=job_id, status="running", object=error.key, retry_after_seconds=wait)
