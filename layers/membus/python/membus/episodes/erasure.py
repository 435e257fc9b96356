"""Erasure of a user's episodes in DynamoDB, with what each event left elsewhere.

Beside its episode an event leaves its identity, with what a model proposed, and the state of its session.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.keys import parse_day_key, user_pk
from membus.aws.dynamodb.table import PAGE_ITEMS, DynamoTable, Item, delete_item, put_item
from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.episodes.dynamodb import identity_key
from membus.states.dynamodb import session_prefix, state_key
from membus.states.model import AgentSession

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class EventEraser:
    """Ids of erased events are remembered until `kept_until`: then nothing is left to bring one back."""

    def __init__(self, table: "Table", versions: S3ObjectVersions, kept_until: datetime) -> None:
        self._table, self._versions = DynamoTable(table), versions
        self._expires_at = int(kept_until.timestamp())

    def forget_events(self, owner: Owner, event_ids: Iterable[str]) -> int:
        """Leave of each event a digest of its id: what comes back under it is dropped."""
        mark = {"extracted": FORGOTTEN, "expires_at": self._expires_at}
        writes = (put_item({**identity_key(owner, event_id), **mark}) for event_id in event_ids)
        return self._table.write_each(writes, doing="erasing an event's identity")

    def delete_states(self, sessions: Iterable[AgentSession]) -> int:
        """Remove the states of sessions with every large text that any of their writes left."""
        removed = 0
        for session in set(sessions):
            self._versions.purge_prefix(f"spill/{session_prefix(session)}")
            deletion = delete_item(state_key(session))
            gone = self._table.write(deletion, doing="erasing a state", returns="ALL_OLD")
            if "spilled" in gone:
                self._versions.purge_prefix(f"spill/{gone['spilled']}")
            removed += bool(gone)
        return removed


class EpisodeEraser:
    """The index comes a moment late: what it did not show yet it shows in the second round."""

    name = "episodes"

    def __init__(self, table: "Table", traces: EventEraser, versions: S3ObjectVersions) -> None:
        self._table, self._traces, self._versions = DynamoTable(table), traces, versions

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        """The episode goes last: as long as it is there it says what else there is."""
        removed: Counter[str] = Counter()
        pages = self._table.query_pages(
            Key("user_pk").eq(user_pk(owner)),
            doing="erasing episodes",
            IndexName="by_user",
            ProjectionExpression="pk, sk, session_id, spilled",
            Limit=PAGE_ITEMS,
        )
        for items in pages:
            ids = [str(item["sk"]).split("#", 1)[1] for item in items]
            removed["event_identities"] += self._traces.forget_events(owner, ids)
            removed["states"] += self._traces.delete_states(_sessions(items))
            for item in items:
                if "spilled" in item:
                    removed["large_texts"] += self._versions.purge_prefix(f"spill/{item['spilled']}")
            removed["episodes"] += self._table.delete_items(items, doing="erasing episodes")
            if not step.time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        items = self._table.query(
            Key("user_pk").eq(user_pk(owner)),
            doing="counting episodes",
            IndexName="by_user",
            ProjectionExpression="pk",
        )
        return ErasureCount({"episodes": sum(1 for _ in items)})


def _sessions(items: Iterable[Item]) -> set[AgentSession]:
    """Return the sessions of episodes; the partition names the agent."""
    return {
        AgentSession(tenant=day.tenant, agent=day.agent, session_id=str(item["session_id"]))
        for item in items
        if "session_id" in item and (day := parse_day_key(str(item["pk"])))
    }
