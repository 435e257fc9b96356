"""A tenant's recorded events and hot episodes, found by reading the table once: for operators alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import agents_prefix, event_pk, events_prefix, parse_day_key, parse_user_key
from membus.aws.dynamodb.table import DynamoTable, Item
from membus.core.identity import Owner
from membus.episodes.dynamodb import episode_key
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
            ProjectionExpression="pk, sk, user_pk, episode_pk, unarchived",
            ConsistentRead=True,
        )
        for items, scanned in pages:
            for item in items:
                _enter(item, into)
            yield scanned

    def find_location(self, identity_pk: str) -> EpisodeLocation | None:
        """Return what there is of an event now, None if it is not recorded."""
        identity = self._table.get({"pk": identity_pk, "sk": "EVENT"}, doing=LOOKING_AGAIN)
        if identity is None or "episode_pk" not in identity:
            return None
        episode = self._table.get(episode_key(identity), doing=LOOKING_AGAIN) or {}
        return EpisodeLocation(hot=bool(episode), waiting="unarchived" in episode)


def _enter(item: Item, into: Reconciliation) -> None:
    pk = str(item["pk"])
    if item["sk"] == "EVENT":
        if day := parse_day_key(str(item.get("episode_pk", ""))):
            into.add_recorded(day.agent, day.day, pk)
    elif (day := parse_day_key(pk)) and (user := parse_user_key(str(item.get("user_pk", "")))):
        identity = event_pk(Owner(tenant=user[0], user=user[1]), str(item["sk"]).split("#", 1)[1])
        into.add_hot(day.agent, day.day, identity, waiting="unarchived" in item)
