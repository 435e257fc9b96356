"""The JSON of documents."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from functions.api.fields import BATCH_SIZE, REQUIRE_VISIBLE, Metadata, WrittenMoment, request_body
from membus.core.event import Moment
from membus.core.identity import Id
from membus.search.model import DOCUMENT_CHARACTERS_MAX, Document

DocumentText = Annotated[str, Field(max_length=DOCUMENT_CHARACTERS_MAX), REQUIRE_VISIBLE]


class MemoryIn(BaseModel):
    """A text to put into memory; of one user, one agent, or nobody in particular."""

    model_config = request_body()

    text: DocumentText
    user_id: Id | None = None
    agent_id: Id | None = None
    metadata: Metadata = Field(default_factory=dict)
    expires_at: WrittenMoment = None


class MemoryBatch(BaseModel):
    """Texts to put into memory."""

    model_config = request_body(
        {"items": [{"text": "Ada is allergic to nuts.", "user_id": "ada", "metadata": {"topic": "health"}}]}
    )

    items: list[MemoryIn] = BATCH_SIZE


class MemoryReceipt(BaseModel):
    """`merged`: the same words were known already; `id` is the memory that holds them.

    `similar_to` names other documents of the same owner that sound alike: nothing of them was changed.
    """

    index: int
    id: str
    version: int
    merged: bool
    similar_to: list[str] = Field(default_factory=list)
    vector_state: Literal["ready", "pending"]


class MemoryReceipts(BaseModel):
    """What became of each text, in their order."""

    items: list[MemoryReceipt]


class MemoryPatch(BaseModel):
    """What is absent stays.

    `metadata` and `expires_at` are replaced whole, an `expires_at` of null lifts the end.
    """

    model_config = request_body()

    text: DocumentText | None = None
    metadata: Metadata | None = None
    expires_at: WrittenMoment = None
    expected_version: int | None = Field(default=None, ge=1)


class MemoryOut(BaseModel):
    """A text in memory."""

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
    def from_document(cls, document: Document) -> "MemoryOut":
        return cls(id=document.memory_id, **document.model_dump(include=set(cls.model_fields) - {"id"}))


class MemoryPage(BaseModel):
    """Texts in memory, newest first."""

    items: list[MemoryOut]
    next_cursor: str | None
