"""The door that chat comes through.

Passages for a message, texts of memories, episodes, of a tenant it vouches for.

Only who may invoke this function by its name reaches it (Terraform's map says chat); the API's gateway cannot
make such an event.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from functions.api.search.routes import memory_searcher
from functions.api.search.schemas import QUERY_MAX, SearchIn
from membus.container import Container
from membus.conversations.recall import RecalledPassage
from membus.core.identity import Id
from membus.episodes.model import EpisodeQuery


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


class EpisodesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wanted: EpisodeQuery
    limit: int = Field(ge=1, le=100)
    after: dict[str, str] | None


def is_internal(event: dict[str, Any]) -> bool:
    return len(event) == 1 and event.keys() <= {"recall", "passages", "episodes"}


def answer_internal(event: dict[str, Any], container: Container) -> Any:
    if "passages" in event:
        wanted = PassagesIn.model_validate(event["passages"])
        return container.search.index.get_passages(wanted.tenant, wanted.memory_ids)
    if "episodes" in event:
        return _list_episodes(EpisodesIn.model_validate(event["episodes"]), container)
    asked = RecallIn.model_validate(event["recall"])
    hidden = container.erasure.guard.get_hidden(asked.tenant)
    if hidden.contains_user(asked.user):
        return []
    found = memory_searcher(container, asked.tenant).search_memories(
        asked.tenant,
        SearchIn(query=asked.message[:QUERY_MAX], user_id=asked.user, k=asked.limit),
        hidden=hidden,
    )
    passages = (
        RecalledPassage(
            memory_id=each.id,
            kind=each.kind,
            text=each.text,
            occurred_at=each.occurred_at,
            source=each.source,
            score=each.score,
        )
        for each in found.results
    )
    return [passage.model_dump(mode="json") for passage in passages]


def _list_episodes(asked: EpisodesIn, container: Container) -> dict[str, Any]:
    hidden = container.erasure.guard.get_hidden(asked.wanted.tenant)
    page = container.episodes.reader.list_episodes(asked.wanted, limit=asked.limit, after=asked.after)
    items = (each for each in page.items if not hidden.contains_user(each.event.user_id))
    return {"items": [each.model_dump(mode="json", by_alias=True) for each in items], "after": page.after}
