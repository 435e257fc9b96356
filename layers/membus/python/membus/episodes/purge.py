"""Purge of single events from the episodes in DynamoDB: the episode goes, its id stays as a digest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membus.aws.dynamodb.table import DynamoTable, Item
from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.episodes.dynamodb import episode_key, identity_key
from membus.episodes.erasure import EventEraser

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class EpisodePurger:
    """The identity is forgotten last: as long as it names the episode, the episode is found again."""

    name = "episodes"

    def __init__(
        self, table: "Table", traces: EventEraser, versions: S3ObjectVersions, events: Sequence[str]
    ) -> None:
        self._table, self._traces = DynamoTable(table), traces
        self._versions, self._events = versions, events

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed = 0
        for event_id in self._events:
            identity = self._identity(owner, event_id)
            if "episode_pk" in identity:
                key = episode_key(identity)
                episode = self._table.get(key, doing="purging an episode") or {}
                if "spilled" in episode:
                    self._versions.purge_prefix(f"spill/{episode['spilled']}")
                removed += self._table.delete_items([key], doing="purging an episode")
            self._traces.forget_events(owner, [event_id])
        return ErasureCount({"episodes": removed})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        identities = (self._identity(owner, event_id) for event_id in self._events)
        left = sum(bool(each) and each.get("extracted") != FORGOTTEN for each in identities)
        return ErasureCount({"episodes": left})

    def _identity(self, owner: Owner, event_id: str) -> Item:
        return self._table.get(identity_key(owner, event_id), doing="purging an event") or {}
