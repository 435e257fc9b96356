"""The JSON of working memory."""

from typing import Any

from pydantic import BaseModel, Field

from functions.api.fields import request_body
from membus.core.identity import Id
from membus.states.model import StateInfo

YEAR_SECONDS = 365 * 86_400


class StateIn(BaseModel):
    """The whole document; `expected_version` 0 asks that there be none yet."""

    model_config = request_body({"data": {"step": "payment", "cart": ["tea"]}, "expected_version": 3})

    data: dict[str, Any] = Field(description="any JSON object; the body takes at most 4,000,000 bytes")
    user_id: Id | None = Field(
        default=None,
        description="whom it is about: it goes with their erasure. Left out, it stays whose it was",
    )
    expected_version: int | None = Field(default=None, ge=0, strict=True)
    ttl_seconds: int | None = Field(
        default=None,
        ge=1,
        le=YEAR_SECONDS,
        strict=True,
        description="counted anew by every write; 30 days by default",
    )


class SessionPage(BaseModel):
    """Sessions of an agent that have a state."""

    items: list[StateInfo]
    next_cursor: str | None
