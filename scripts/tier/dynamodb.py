"""What DynamoDB holds of a tenant's episodes, found by reading the table once.

For an operator's report alone.
"""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.episodes.dynamodb import identity_key
from scripts.tier.reconciliation import EpisodeLocation, Reconciliation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoRecordedEvents:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def collect_into(self, tenant: str, into: Reconciliation) -> Iterator[int]:
        """Enter every identity and every hot episode; yields how many items were looked at with each page."""
        identities, episodes = f"T#{tenant}#EV#", f"T#{tenant}#A#"
        start: dict[str, Any] = {}
        while True:
            with translate_dynamodb_errors("reading what was recorded"):
                answer = self._table.scan(
                    FilterExpression=Attr("pk").begins_with(identities) | Attr("pk").begins_with(episodes),
                    ProjectionExpression="pk, sk, episode_pk, unarchived",
                    ConsistentRead=True,
                    **start,
                )
            for item in answer["Items"]:
                _enter(item, into)
            yield answer["ScannedCount"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def find_location(self, tenant: str, event_id: str) -> EpisodeLocation | None:
        """Return what there is of an event now, None where it is not recorded."""
        identity = self._item(identity_key(tenant, event_id))
        if "episode_pk" not in identity:
            return None
        episode = self._item({"pk": identity["episode_pk"], "sk": identity["episode_sk"]})
        return EpisodeLocation(hot=bool(episode), waiting="unarchived" in episode)

    def _item(self, key: dict[str, Any]) -> dict[str, Any]:
        with translate_dynamodb_errors("looking at an event again"):
            return self._table.get_item(Key=key, ConsistentRead=True).get("Item", {})


def _enter(item: dict[str, Any], into: Reconciliation) -> None:
    pk = str(item["pk"])
    if "#EV#" in pk:
        if "episode_pk" in item:
            into.add_recorded(*_place(str(item["episode_pk"])), pk.split("#EV#", 1)[1])
    elif "#E#" in pk:
        into.add_hot(*_place(pk), str(item["sk"]).split("#", 1)[1], waiting="unarchived" in item)


def _place(partition: str) -> tuple[str, date]:
    """Return the agent and the day of `T#<tenant>#A#<agent>#E#<day>`, with or without a shard."""
    _, _, _, agent, _, day, *_ = partition.split("#")
    return agent, date.fromisoformat(day)
