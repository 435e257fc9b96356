"""A tenant's recorded events and hot episodes, found by reading the table once: for operators alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import agents_prefix, events_prefix, parse_day_key, parse_event_key
from membus.aws.dynamodb.table import DynamoTable, Item
from membus.episodes.dynamodb import episode_key, identity_key
from scripts.tier.reconciliation import EpisodeLocation, Reconciliation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LOOKING_AGAIN = "looking at an event again"


class DynamoRecordedEvents:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def collect_into(self, tenant: str, into: Reconciliation) -> Iterator[int]:
        """Add every identity and every hot episode; yields with each page how many items were read."""
        identities, episodes = events_prefix(tenant), agents_prefix(tenant)
        pages = self._table.scan_pages(
            doing="reading what was recorded",
            FilterExpression=Attr("pk").begins_with(identities) | Attr("pk").begins_with(episodes),
            ProjectionExpression="pk, sk, episode_pk, unarchived",
            ConsistentRead=True,
        )
        for items, scanned in pages:
            for item in items:
                _enter(item, into)
            yield scanned

    def find_location(self, tenant: str, event_id: str) -> EpisodeLocation | None:
        """Return what there is of an event now, None if it is not recorded."""
        identity = self._table.get(identity_key(tenant, event_id), doing=LOOKING_AGAIN)
        if identity is None or "episode_pk" not in identity:
            return None
        episode = self._table.get(episode_key(identity), doing=LOOKING_AGAIN) or {}
        return EpisodeLocation(hot=bool(episode), waiting="unarchived" in episode)


def _enter(item: Item, into: Reconciliation) -> None:
    pk = str(item["pk"])
    if event_id := parse_event_key(pk):
        if day := parse_day_key(str(item.get("episode_pk", ""))):
            into.add_recorded(day.agent, day.day, event_id)
    elif day := parse_day_key(pk):
        event_id = str(item["sk"]).split("#", 1)[1]
        into.add_hot(day.agent, day.day, event_id, waiting="unarchived" in item)
