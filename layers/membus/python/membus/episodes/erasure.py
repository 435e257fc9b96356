"""What an event leaves beside its episode.

Its identity, with what a model proposed, and the state of its session.

A user's episodes in DynamoDB, found along the index `by_user`, with what each of them left elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.batches import WORKERS, query_pages, remove_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureCount
from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.episodes.dynamodb import identity_key, user_key
from membus.states.dynamodb import session_prefix, state_key
from membus.states.model import AgentSession

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class EventEraser:
    """`kept_until` is when nothing is left that could bring an erased event back.

    Its bare id is remembered so long.
    """

    def __init__(self, table: "Table", versions: S3ObjectVersions, kept_until: datetime) -> None:
        self._table, self._versions = table, versions
        self._expires_at = int(kept_until.timestamp())

    def forget_events(self, tenant: str, event_ids: Iterable[str]) -> int:
        """Leave of each event that its id was seen: what comes back under it is dropped."""

        def forget(event_id: str) -> None:
            mark: Any = identity_key(tenant, event_id) | {
                "extracted": FORGOTTEN,
                "expires_at": self._expires_at,
            }
            with translate_dynamodb_errors("erasing an event's identity"):
                self._table.put_item(Item=mark)

        ids = list(event_ids)
        with ThreadPoolExecutor(WORKERS) as hands:
            list(hands.map(forget, ids))
        return len(ids)

    def delete_states(self, sessions: Iterable[AgentSession]) -> int:
        """Remove the states of sessions with every large text that any of their writes left."""
        removed = 0
        for session in set(sessions):
            self._versions.purge_prefix(f"spill/{session_prefix(session)}")
            with translate_dynamodb_errors("erasing a state"):
                answer: Any = self._table.delete_item(Key=state_key(session), ReturnValues="ALL_OLD")
            gone = answer.get("Attributes", {})
            if "spilled" in gone:
                self._versions.purge_prefix(f"spill/{gone['spilled']}")
            removed += bool(gone)
        return removed


class EpisodeEraser:
    """The index comes a moment late: what it did not show yet it shows in the second round."""

    name = "episodes"

    def __init__(self, table: "Table", traces: EventEraser, versions: S3ObjectVersions) -> None:
        self._table, self._traces, self._versions = table, traces, versions

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:
        """The episode goes last: as long as it is there it says what else there is."""
        removed: Counter[str] = Counter()
        for items in query_pages(self._table, _episodes_query(owner), doing="erasing episodes"):
            ids = [str(item["sk"]).split("#", 1)[1] for item in items]
            removed["event_identities"] += self._traces.forget_events(owner.tenant, ids)
            removed["states"] += self._traces.delete_states(_sessions(owner.tenant, items))
            for item in items:
                if "spilled" in item:
                    removed["large_texts"] += self._versions.purge_prefix(f"spill/{item['spilled']}")
            removed["episodes"] += remove_items(self._table, items, doing="erasing episodes")
            if not time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:
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
