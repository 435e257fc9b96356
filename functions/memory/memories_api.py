"""The wire format of documents and of search."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from functions.memory.api import require_written_moment
from membus.domain.document import DOCUMENT_CHARACTERS_MAX, Document
from membus.domain.event import Moment
from membus.domain.identity import Id
from membus.domain.memory import MemoryKind, MemorySource
from membus.domain.visible import is_blank

ITEMS_MAX, RESULTS_MAX, QUERY_MAX = 100, 100, 2_000
WrittenMoment = Annotated[Moment | None, BeforeValidator(require_written_moment)]


def require_visible_text(text: str) -> str:
    if is_blank(text):
        raise ValueError("a text needs something visible")
    return text


DocumentText = Annotated[str, Field(max_length=DOCUMENT_CHARACTERS_MAX), AfterValidator(require_visible_text)]
Metadata = dict[str, Any]


class MemoryIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: DocumentText
    user_id: Id | None = None
    agent_id: Id | None = None
    metadata: Metadata = Field(default_factory=dict)
    expires_at: WrittenMoment = None


class MemoryBatch(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "text": "Ada is allergic to nuts.",
                            "user_id": "ada",
                            "metadata": {"topic": "health"},
                        }
                    ]
                }
            ]
        },
    )

    items: list[MemoryIn] = Field(min_length=1, max_length=ITEMS_MAX)


class MemoryReceipt(BaseModel):
    """`merged`: the text was known already, in these or nearly these words.

    `id` is the memory that took it in.
    """

    index: int
    id: str
    version: int
    merged: bool
    vector_state: Literal["ready", "pending"]


class MemoriesOut(BaseModel):
    items: list[MemoryReceipt]


class MemoryPatch(BaseModel):
    """What is absent stays.

    `metadata` and `expires_at` are replaced whole, an `expires_at` of null lifts the end.
    """

    model_config = ConfigDict(extra="forbid")

    text: DocumentText | None = None
    metadata: Metadata | None = None
    expires_at: WrittenMoment = None
    expected_version: int | None = Field(default=None, ge=1)


class MemoryOut(BaseModel):
    id: str
    text: str
    user_id: str | None
    agent_id: str | None
    metadata: Metadata
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None
    version: int

    @classmethod
    def of(cls, document: Document) -> "MemoryOut":
        return cls(id=document.memory_id, **document.model_dump(include=set(cls.model_fields) - {"id"}))


class MemoryPage(BaseModel):
    items: list[MemoryOut]
    next_cursor: str | None


class SearchIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "query": "Where does Ada live?",
                    "user_id": "ada",
                    "k": 5,
                    "filters": {"type": {"eq": "message.sent"}},
                }
            ]
        },
        populate_by_name=True,
    )

    query: Annotated[str, Field(max_length=QUERY_MAX), AfterValidator(require_visible_text)]
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
