"""A user's episodes in DynamoDB, found along the index `by_user`, with what each of them left elsewhere."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.adapters.dynamo_removal import query_pages, remove_items
from membus.adapters.episode_items import user_key
from membus.adapters.erasing_traces import EventEraser
from membus.adapters.s3_versions import S3ObjectVersions
from membus.domain.identity import Owner
from membus.domain.state import AgentSession
from membus.ports.erasures import ErasureCount

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class EpisodeEraser:
    """The index comes a moment late: what it did not show yet it shows in the second round."""

    name = "episodes"

    def __init__(self, table: "Table", traces: EventEraser, versions: S3ObjectVersions) -> None:
        self._table, self._traces, self._versions = table, traces, versions

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:  # noqa: ARG002
        """The episode goes last: as long as it is there it says what else there is."""
        removed: Counter[str] = Counter()
        for items in query_pages(self._table, _episodes_query(owner), doing="erasing episodes"):
            ids = [str(item["sk"]).split("#", 1)[1] for item in items]
            removed["event_identities"] += self._traces.blank(owner.tenant, ids)
            removed["states"] += self._traces.drop_states(_sessions(owner.tenant, items))
            for item in items:
                if "spilled" in item:
                    removed["large_texts"] += self._versions.purge(f"spill/{item['spilled']}")
            removed["episodes"] += remove_items(self._table, items, doing="erasing episodes")
            if not time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:  # noqa: ARG002
        found = sum(
            len(items)
            for items in query_pages(
                self._table, _episodes_query(owner), doing="counting episodes", limit=1000
            )
        )
        return ErasureCount({"episodes": found})


def _episodes_query(owner: Owner) -> dict[str, Any]:
    return {
        "IndexName": "by_user",
        "KeyConditionExpression": Key("user_pk").eq(user_key(owner.tenant, owner.user)),
        "ProjectionExpression": "pk, sk, session_id, spilled",
    }


def _sessions(tenant: str, items: list[dict[str, Any]]) -> set[AgentSession]:
    """Return the sessions of episodes; the partition names the agent."""
    return {
        AgentSession(tenant=tenant, agent=str(item["pk"]).split("#")[3], session_id=str(item["session_id"]))
        for item in items
        if "session_id" in item
    }
