"""Episodes that wait for their cold copy.

The sparse index `unarchived`, in shards, and the items it points to.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.adapters.dynamo_errors import conflicting_item, translate_dynamodb_errors
from membus.domain.cold import EpisodeRow
from membus.errors import ConflictError, UnavailableError
from membus.ports.cold import UnarchivedGroup

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_PARTITION = re.compile(r"T#(?P<tenant>[^#]+)#A#(?P<agent>[^#]+)#E#(?P<day>[^#]+)")
READ_BATCH = 100
"""BatchGetItem takes a hundred keys."""
WRITE_WORKERS = 10
"""Requests side by side: botocore keeps ten connections."""


class DynamoUnarchivedEpisodes:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def groups(self, shard: int, *, before: date, limit: int) -> Iterator[UnarchivedGroup]:
        partition, places = "", list[str]()
        for pk, sk in self._index(shard):
            if places and (pk != partition or len(places) == limit):
                yield _group(partition, places)
                places = []
            partition = pk
            if _parts(pk)["day"] < f"{before:%Y-%m-%d}":
                places.append(sk)
        if places:
            yield _group(partition, places)

    def rows(self, waiting: UnarchivedGroup) -> list[EpisodeRow]:
        items: list[dict[str, Any]] = []
        for start in range(0, len(waiting.places), READ_BATCH):
            places = waiting.places[start : start + READ_BATCH]
            items += self._items([{"pk": waiting.partition, "sk": place} for place in places])
        return [_episode_row(item) for item in items if "unarchived" in item]

    def stamp(
        self, waiting: UnarchivedGroup, places: Sequence[str], *, key: str, expires_at: datetime
    ) -> list[str]:
        def stamped(place: str) -> bool:
            return self._stamp({"pk": waiting.partition, "sk": place}, key, int(expires_at.timestamp()))

        with ThreadPoolExecutor(WRITE_WORKERS) as threads:
            done = list(threads.map(stamped, places))
        return [place for place, is_there in zip(places, done, strict=True) if not is_there]

    def _index(self, shard: int) -> Iterator[tuple[str, str]]:
        start: dict[str, Any] = {}
        while True:
            with translate_dynamodb_errors("reading what waits for the archive"):
                answer = self._table.query(
                    IndexName="unarchived",
                    KeyConditionExpression=Key("unarchived").eq(f"UNARCHIVED#{shard:02d}"),
                    **start,
                )
            yield from ((str(item["pk"]), str(item["sk"])) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _items(self, keys: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Return the items, all of them: a table that hands out no more of a batch is busy."""
        found: list[dict[str, Any]] = []
        asked: dict[str, Any] = {self._table.name: {"Keys": keys, "ConsistentRead": True}}
        while asked:
            with translate_dynamodb_errors("reading episodes for the archive"):
                answer = self._table.meta.client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(self._table.name, [])
            left = answer.get("UnprocessedKeys", {})
            if left and not answer["Responses"].get(self._table.name):
                raise UnavailableError("the table is busy while reading episodes for the archive")
            asked = dict(left)
        return found

    def _stamp(self, key: dict[str, str], name: str, expires_at: int) -> bool:
        """Return whether the episode is still there.

        Of two archivers the later expiry stands: no object may claim that an episode is hot when it no longer
        is.
        """
        try:
            with translate_dynamodb_errors("marking an episode as archived"):
                self._table.update_item(
                    Key=key,
                    UpdateExpression="SET archived_key = :key, expires_at = :expires REMOVE unarchived",
                    ConditionExpression="attribute_exists(pk) AND "
                    "(attribute_not_exists(expires_at) OR expires_at < :expires)",
                    ExpressionAttributeValues={":key": name, ":expires": expires_at},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConflictError as lost:
            return conflicting_item(lost) is not None
        return True


def _group(partition: str, places: Sequence[str]) -> UnarchivedGroup:
    parts = _parts(partition)
    return UnarchivedGroup(
        parts["tenant"], parts["agent"], date.fromisoformat(parts["day"]), partition, tuple(sorted(places))
    )


def _parts(partition: str) -> dict[str, str]:
    found = _PARTITION.match(partition)
    if found is None:
        raise ValueError("an episode's partition names its tenant, agent and day")
    return found.groupdict()


def _episode_row(item: dict[str, Any]) -> EpisodeRow:
    place, body = str(item["sk"]), str(item["body"])
    if "spilled" not in item:
        return EpisodeRow.of(place, body)
    return EpisodeRow.of(place, body, spilled=str(item["spilled"]), spilled_bytes=int(item["spilled_bytes"]))
