"""Search and episodes through the function that holds them.

Chat lies outside the network that Postgres lives in.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from membus.aws.clients import translate_aws_errors
from membus.conversations.recall import RecalledPassage
from membus.core.errors import UnavailableError
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.model import Episode, EpisodeQuery

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class _MemoryFunction:
    """The function by its name; what it raises is that it does not answer."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client, self._function = client, function

    def _ask(self, event: dict[str, Any]) -> Any:
        with translate_aws_errors("memory does not answer"):
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
            payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise UnavailableError("memory does not answer: it failed")
        return json.loads(payload)


class LambdaMemorySearch(_MemoryFunction):
    def search(self, owner: Owner, message: str, *, limit: int) -> list[RecalledPassage]:
        asked = {"tenant": owner.tenant, "user": owner.user, "message": message, "limit": limit}
        return [RecalledPassage.model_validate(each) for each in self._ask({"recall": asked})]

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        texts: dict[str, list[str]] = self._ask(
            {"passages": {"tenant": tenant, "memory_ids": list(memory_ids)}}
        )
        return texts


class LambdaEpisodes(_MemoryFunction):
    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        found = self._ask(
            {"episodes": {"wanted": wanted.model_dump(mode="json"), "limit": limit, "after": after}}
        )
        return Page(tuple(Episode.model_validate(each) for each in found["items"]), found["after"])
