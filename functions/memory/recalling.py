"""The door that chat comes through: passages for a message, and the texts of memories, for a tenant it vouches for.

Only who may invoke this function by its name reaches it (Terraform's map says chat); the API's gateway cannot make
such an event.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from functions.memory.memories_api import QUERY_MAX, SearchIn
from functions.memory.routes.search import searching
from membus import wiring_search
from membus.domain.identity import Id
from membus.domain.recall import Recalled


class RecallIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenant: Id
    user: Id
    message: str = Field(min_length=1)
    limit: int = Field(ge=1, le=100)


class PassagesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenant: Id
    memory_ids: list[str] = Field(max_length=200)


def asked_inside(event: dict[str, Any]) -> bool:
    return event.keys() == {"recall"} or event.keys() == {"passages"}


def answer_inside(event: dict[str, Any]) -> Any:
    if "passages" in event:
        wanted = PassagesIn.model_validate(event["passages"])
        return wiring_search.memory_index().texts(wanted.tenant, wanted.memory_ids)
    asked = RecallIn.model_validate(event["recall"])
    found = searching(asked.tenant).answer(
        asked.tenant, SearchIn(query=asked.message[:QUERY_MAX], user_id=asked.user, k=asked.limit)
    )
    passages = (
        Recalled(
            memory_id=each.id, kind=each.kind, text=each.text, occurred_at=each.occurred_at, source=each.source,
            score=each.score,
        )
        for each in found.results
    )  # fmt: skip
    return [passage.model_dump(mode="json") for passage in passages]
