"""Requests of the chat function: passages for a message, texts of memories, and episodes.

They come by an invocation of this function, which Terraform grants to chat alone and the gateway cannot
imitate. Chat vouches for the tenant.
"""

from typing import Any

from pydantic import BaseModel, Field

from functions.api.fields import request_body
from functions.api.search.routes import memory_searcher
from functions.api.search.schemas import QUERY_MAX, SearchIn
from functions.api.search.usecase import recalled_passages
from membus.container import Container
from membus.core.identity import Id
from membus.episodes.model import EpisodeQuery


class _InternalRequest(BaseModel):
    model_config = request_body()


class RecallIn(_InternalRequest):
    tenant: Id
    user: Id
    agent: Id
    message: str = Field(min_length=1)
    limit: int = Field(ge=1, le=100)


class PassagesIn(_InternalRequest):
    tenant: Id
    memory_ids: list[str] = Field(max_length=200)


class EpisodesIn(_InternalRequest):
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
    return _recall_passages(RecallIn.model_validate(event["recall"]), container)


def _recall_passages(asked: RecallIn, container: Container) -> list[dict[str, Any]]:
    hidden = container.erasure.guard.get_hidden(asked.tenant)
    if hidden.contains_user(asked.user):
        return []
    query = SearchIn(query=asked.message[:QUERY_MAX], user_id=asked.user, k=asked.limit)
    searcher = memory_searcher(container, asked.tenant)
    found = searcher.search_memories(asked.tenant, query, hidden=hidden, reader=asked.agent)
    return [passage.model_dump(mode="json") for passage in recalled_passages(found)]


def _list_episodes(asked: EpisodesIn, container: Container) -> dict[str, Any]:
    hidden = container.erasure.guard.get_hidden(asked.wanted.tenant)
    page = container.episodes.reader.list_episodes(asked.wanted, limit=asked.limit, after=asked.after)
    items = (each for each in page.items if not hidden.contains_user(each.event.user_id))
    return {"items": [each.model_dump(mode="json", by_alias=True) for each in items], "after": page.after}
