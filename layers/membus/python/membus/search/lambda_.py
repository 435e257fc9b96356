"""Search and episodes through the API's function: chat has no access to the network of Postgres."""

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


class _ApiFunction:
    """The function by its name; UnavailableError where it fails or does not answer."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client, self._function = client, function

    def _invoke(self, event: dict[str, Any]) -> Any:
        with translate_aws_errors("memory does not answer"):
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
            payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise UnavailableError("memory does not answer: it failed")
        return json.loads(payload)


class LambdaMemorySearch(_ApiFunction):
    def search(self, owner: Owner, message: str, *, agent: str, limit: int) -> list[RecalledPassage]:
        recall = {
            "tenant": owner.tenant,
            "user": owner.user,
            "agent": agent,
            "message": message,
            "limit": limit,
        }
        return [RecalledPassage.model_validate(each) for each in self._invoke({"recall": recall})]

    def get_passages(self, tenant: str, memory_ids: Sequence[str]) -> dict[str, list[str]]:
        wanted = {"tenant": tenant, "memory_ids": list(memory_ids)}
        texts: dict[str, list[str]] = self._invoke({"passages": wanted})
        return texts


class LambdaEpisodes(_ApiFunction):
    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        asked = {"wanted": wanted.model_dump(mode="json"), "limit": limit, "after": after}
        found = self._invoke({"episodes": asked})
        return Page(tuple(Episode.model_validate(each) for each in found["items"]), found["after"])
