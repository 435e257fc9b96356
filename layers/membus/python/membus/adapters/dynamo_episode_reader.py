"""Episodes read from DynamoDB in time order.

Day after day of an agent, or along the index of one of its users.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.episode_items import agent_prefix, day_partitions, load_recorded, user_key
from membus.domain.episode import Episode, EpisodeQuery, count_fitting, mark_before, moment_of
from membus.domain.pages import Page
from membus.ports.clock import Clock
from membus.ports.contents import BlobStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

READS_MAX = 100
"""Partitions asked for one page.

Half a second where nothing is found, then the caller comes back for more.
"""
FILTERED_PAGE_ITEMS = 1000
"""Items read at once where most of them may belong to another session; DynamoDB stops at 1 MB anyway."""


@dataclass(frozen=True)
class _Leg:
    """Partitions that share a stretch of time, up to the mark `end`: their items are merged."""

    keys: Sequence[ConditionBase]
    end: str


class DynamoEpisodeReader:
    def __init__(self, table: "Table", contents: BlobStore, clock: Clock, shards: int = 1) -> None:
        self._table, self._contents, self._clock, self._shards = table, contents, clock, shards

    def page(self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None) -> Page[Episode]:
        mark, last = after["mark"] if after else mark_before(wanted.start), mark_before(wanted.end)
        found: list[dict[str, Any]] = []
        reads = 0
        while mark < last and len(found) <= limit and reads < READS_MAX:
            leg = self._leg(wanted, mark, last)
            items, mark = self._merged(wanted, leg, mark, limit + 1 - len(found))
            found += items
            reads += len(leg.keys)
        many = count_fitting([_size(item) for item in found], limit)
        if many < len(found):
            mark = str(found[many - 1]["sk"])
        episodes = tuple(self._episode(item) for item in found[:many])
        return Page(episodes, {"mark": mark} if mark < last else None)

    def _leg(self, wanted: EpisodeQuery, mark: str, last: str) -> _Leg:
        """Return what lies next after a mark: the rest of its day, or all there is of a user."""
        if wanted.user_id or not wanted.agent:
            return _Leg([Key("user_pk").eq(user_key(wanted.tenant, str(wanted.user_id)))], last)
        day = moment_of(mark).date()
        tomorrow = datetime.combine(day + timedelta(days=1), time(), UTC)
        keys = day_partitions(wanted.tenant, wanted.agent, day, self._shards)
        return _Leg([Key("pk").eq(pk) for pk in keys], min(last, mark_before(tomorrow)))

    def _merged(
        self, wanted: EpisodeQuery, leg: _Leg, mark: str, limit: int
    ) -> tuple[list[dict[str, Any]], str]:
        """Return a leg's next items in order, and the mark up to which nothing is missing.

        A partition that has more says how far it was read; beyond the nearest of these points another one's
        items could come too early.
        """
        merged: list[dict[str, Any]] = []
        complete = leg.end
        for key in leg.keys:
            answer = self._query(wanted, key, mark, leg.end, limit)
            merged += answer["Items"]
            if "LastEvaluatedKey" in answer:
                complete = min(complete, str(answer["LastEvaluatedKey"]["sk"]))
        ordered = sorted(
            (item for item in merged if item["sk"] <= complete), key=lambda item: str(item["sk"])
        )
        return ordered, complete

    def _query(self, wanted: EpisodeQuery, key: ConditionBase, mark: str, end: str, limit: int) -> Any:
        by_user = wanted.user_id is not None
        # A space sorts before every letter of an id or a ULID: right after the mark, be it an item or not.
        within = Key("user_sk" if by_user else "sk").between(f"{mark} ", end)
        index: dict[str, Any] = {"IndexName": "by_user"} if by_user else {"ConsistentRead": True}
        with translate_dynamodb_errors("reading episodes"):
            return self._table.query(
                KeyConditionExpression=key & within,
                FilterExpression=self._filter(wanted),
                Limit=FILTERED_PAGE_ITEMS if by_user or wanted.session_id else limit,
                **index,
            )

    def _filter(self, wanted: EpisodeQuery) -> ConditionBase:
        live: ConditionBase = Attr("expires_at").not_exists() | Attr("expires_at").gt(
            int(self._clock().timestamp())
        )
        if wanted.user_id and wanted.agent:
            live &= Attr("pk").begins_with(agent_prefix(wanted.tenant, wanted.agent))
        return live & Attr("session_id").eq(wanted.session_id) if wanted.session_id else live

    def _episode(self, item: dict[str, Any]) -> Episode:
        recorded = load_recorded(item, self._contents)
        return Episode(event=recorded.event, learned_at=recorded.learned_at)


def _size(item: dict[str, Any]) -> int:
    return len(str(item["body"]).encode()) + int(item.get("spilled_bytes", 0))
