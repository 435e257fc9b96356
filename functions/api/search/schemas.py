"""The JSON of a search."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from functions.api.fields import REQUIRE_VISIBLE, Metadata, WrittenMoment, request_body
from membus.core.event import Moment
from membus.core.identity import Id, MemorySource
from membus.search.model import MemoryKind

SEARCH_EXAMPLE = {
    "query": "Where does Ada live?",
    "user_id": "ada",
    "k": 5,
    "filters": {"type": {"eq": "message.sent"}},
}
RESULTS_MAX = 100
QUERY_MAX = 2_000


class SearchIn(BaseModel):
    """What to look for, where, and how much of it to return."""

    model_config = request_body(SEARCH_EXAMPLE) | {"populate_by_name": True}

    query: Annotated[str, Field(max_length=QUERY_MAX), REQUIRE_VISIBLE]
    user_id: Id | None = None
    agent_id: Id | None = None
    session_id: Id | None = None
    kinds: list[MemoryKind] = Field(default_factory=list)
    filters: dict[str, Any] | None = None
    k: int = Field(default=10, ge=1, le=RESULTS_MAX)
    mode: Literal["hybrid", "vector", "text"] = "hybrid"
    as_of: WrittenMoment = None
    since: WrittenMoment = Field(default=None, alias="from")
    until: WrittenMoment = Field(default=None, alias="to")
    max_tokens: int | None = Field(default=None, ge=1)
    explain: bool = False


class ScoreExplanation(BaseModel):
    """The parts that make the score, and the words of the query that were found."""

    parts: dict[str, float]
    matched: list[str]


class SearchResult(BaseModel):
    """A passage that was found; `source` says what it rests on."""

    id: str
    kind: MemoryKind
    text: str
    score: float
    occurred_at: Moment
    source: MemorySource
    metadata: Metadata
    explain: ScoreExplanation | None = None


class SearchResults(BaseModel):
    """`degraded`: the search index or the embedding model did not answer, and less was searched.

    `pending`: so many passages of the user have no vector yet and are found by their words alone; null where
    no user was named, or nobody could tell.
    """

    results: list[SearchResult]
    degraded: bool
    pending: int | None
