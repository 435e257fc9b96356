"""How an episode lies in DynamoDB, beside its event's one identity.

pk `T#<tenant>#EV#<event id>`, sk `EVENT`: where the episode lies and which extractor has read it. pk
`T#<tenant>#A#<agent>#E#<yyyy-mm-dd>`, sk `<ulid of occurred_at>#<event id>`: the episode; index `by_user` by
user and time; sparse index `unarchived` until its cold copy is verified. A busy agent's day has more
partitions than one, `#<shard>` at the end of the pk; the first has none, so that a day written before there
were shards is read as before. A payload above 32 KB lies in the content store and `spilled` names it, by its
hash: a copy of the event finds it there.

Episodes written to DynamoDB, each once; `episode_items` says how they lie there.

Episodes read from DynamoDB in time order.

Day after day of an agent, or along the index of one of its users.

One event by its id, from its identity and its episode; `episode_items` says how they lie.

The newest episodes of a user, from the index `by_user` of the table `memory`.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.core.blobs import BlobStore, is_large_text
from membus.core.clock import Clock
from membus.core.erasure import erasure_subject
from membus.core.errors import ConflictError, UnavailableError
from membus.core.event import FORGOTTEN, Event, RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.model import (
    Episode,
    EpisodeQuery,
    EventTrace,
    ReadingCost,
    count_fitting,
    mark_before,
    moment_of,
    place_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
ARCHIVE_SHARDS = 16
"""The archiver's index is written once per event by every tenant.

One partition of it takes 1,000 writes a second.
"""


@dataclass(frozen=True)
class LargePayload:
    """A payload that lies outside its item."""

    key: str
    text: str


def large_payload(event: Event) -> LargePayload | None:
    """Return the payload of an event that is too large to lie in an item."""
    text = json.dumps(event.payload, ensure_ascii=False, separators=(",", ":"))
    if not is_large_text(text):
        return None
    name = hashlib.sha256(f"{event.event_id}\n{text}".encode()).hexdigest()
    return LargePayload(f"{texts_prefix(event.tenant_id, event.user_id)}{name}", text)


def texts_prefix(tenant: str, user: str) -> str:
    """Return where a user's large payloads lie, together, so that all of them can be found and none names the user."""
    return f"episodes/{tenant}/{erasure_subject(tenant, user)}/"


def recording_writes(
    table_name: str,
    recorded: RecordedEvent,
    *,
    extracted: str | None,
    spilled: LargePayload | None = None,
    shards: int = 1,
) -> list[Any]:
    """Return the two writes of a transaction that record an event, if its id is new.

    Its identity and its episode.
    """
    episode = _episode(recorded, spilled, shards)
    identity = identity_key(recorded.event.tenant_id, recorded.event.event_id) | {
        "episode_pk": episode["pk"],
        "episode_sk": episode["sk"],
    }
    if extracted:
        identity["extracted"] = extracted
    first = {"TableName": table_name, "Item": identity, "ConditionExpression": "attribute_not_exists(pk)"}
    return [{"Put": first}, {"Put": {"TableName": table_name, "Item": episode}}]


def load_recorded(item: dict[str, Any], contents: BlobStore) -> RecordedEvent:
    """Return what an episode's item holds, its payload from wherever it lies."""
    recorded = RecordedEvent.model_validate_json(str(item["body"]))
    if "spilled" not in item:
        return recorded
    text = contents.get_text(str(item["spilled"]))
    if text is None:
        raise UnavailableError(f"the payload of event {recorded.event.event_id} cannot be found")
    return recorded.model_copy(
        update={"event": recorded.event.model_copy(update={"payload": json.loads(text)})}
    )


def identity_key(tenant: str, event_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#EV#{event_id}", "sk": "EVENT"}


def answer_attribute(prompt_version: str, model: str) -> str:
    """Return the attribute of an identity that keeps what a model proposed for the event."""
    return f"answer:{prompt_version}:{model}"


def day_partitions(tenant: str, agent: str, day: date, shards: int) -> Sequence[str]:
    """Return the partition keys that one agent's day is spread over."""
    first = f"{agent_prefix(tenant, agent)}{day:%Y-%m-%d}"
    return [first, *(f"{first}#{shard}" for shard in range(1, shards))]


def agent_prefix(tenant: str, agent: str) -> str:
    return f"T#{tenant}#A#{agent}#E#"


def user_key(tenant: str, user: str) -> str:
    return f"T#{tenant}#U#{user}"


def _episode(recorded: RecordedEvent, spilled: LargePayload | None, shards: int) -> dict[str, Any]:
    event = recorded.event
    occurred = event.occurred_at.astimezone(UTC)
    days = day_partitions(event.tenant_id, event.agent_id, occurred.date(), shards)
    pk = days[zlib.crc32(event.event_id.encode()) % shards]
    sk = place_of(event)
    kept = (
        recorded.model_copy(update={"event": event.model_copy(update={"payload": {}})})
        if spilled
        else recorded
    )
    return {
        "pk": pk,
        "sk": sk,
        "user_pk": user_key(event.tenant_id, event.user_id),
        "user_sk": sk,
        "unarchived": f"UNARCHIVED#{zlib.crc32(pk.encode()) % ARCHIVE_SHARDS:02d}",
        "body": kept.model_dump_json(by_alias=True, exclude={"extracted"}),
        **({"session_id": event.session_id} if event.session_id else {}),
        **({"spilled": spilled.key, "spilled_bytes": len(spilled.text.encode())} if spilled else {}),
    }


class DynamoEpisodes:
    """`shards` is over how many partitions one day of one agent is spread.

    It may grow and must not shrink.
    """

    def __init__(self, table: "Table", contents: BlobStore, shards: int = 1) -> None:
        self._table, self._contents, self._shards = table, contents, shards

    def record_event(self, recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        outside = large_payload(recorded.event)
        if outside:
            self._contents.put_text(outside.key, outside.text)
        writes = recording_writes(
            self._table.name, recorded, extracted=extracted, spilled=outside, shards=self._shards
        )
        try:
            write_transaction(self._table.meta.client, writes, doing="recording an event")
        except ConflictError:
            return self._known(recorded, outside.key if outside else None)
        return recorded.model_copy(update={"extracted": extracted})

    def forget_event(self, recorded: RecordedEvent) -> None:
        identity = identity_key(recorded.event.tenant_id, recorded.event.event_id) | {"extracted": FORGOTTEN}
        try:
            with translate_dynamodb_errors("forgetting an event"):
                self._table.put_item(Item=identity, ConditionExpression="attribute_not_exists(pk)")
        except ConflictError:
            return  # the same id was recorded before: the first copy decides

    def _known(self, recorded: RecordedEvent, kept: str | None) -> RecordedEvent:
        """Return the first copy; a transaction that merely collided left none and asks for another try.

        What was kept for a copy that says something else has nobody to point to it; of an episode that lies
        in the archive alone, nobody looks whether it does, and the copy speaks for it.
        """
        key = identity_key(recorded.event.tenant_id, recorded.event.event_id)
        with translate_dynamodb_errors("reading an event's identity"):
            identity: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        if identity is None:
            raise ConflictError("two copies of one event arrived at once")
        episode = self._episode(identity)
        known = "episode_pk" not in identity or bool(episode)
        if kept and known and kept != episode.get("spilled"):
            with suppress(UnavailableError):
                self._contents.delete_text(kept)
        first = load_recorded(episode, self._contents) if episode else recorded
        return first.model_copy(update={"extracted": identity.get("extracted")})

    def _episode(self, identity: dict[str, Any]) -> dict[str, Any]:
        """Return the item of an episode, empty for an event that left no trace or whose hot copy has expired."""
        if "episode_pk" not in identity:
            return {}
        where = {"pk": identity["episode_pk"], "sk": identity["episode_sk"]}
        with translate_dynamodb_errors("reading an episode"):
            found: dict[str, Any] | None = self._table.get_item(Key=where, ConsistentRead=True).get("Item")
        if found is None and "extracted" not in identity:
            raise UnavailableError("this event is being erased or moved right now")
        return found or {}


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

    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
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


class DynamoEventTraces:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def find_trace(self, tenant: str, event_id: str) -> EventTrace | None:
        identity = self._item(identity_key(tenant, event_id))
        if identity is None:
            return None
        where = {"pk": identity.get("episode_pk", ""), "sk": identity.get("episode_sk", "")}
        episode = self._item(where) if where["pk"] else None
        share = identity.get("took")
        return EventTrace(
            event=RecordedEvent.model_validate_json(str(episode["body"])).event
            if episode and "body" in episode
            else None,
            extracted=identity.get("extracted"),
            share=ReadingCost.model_validate_json(str(share)) if share else None,
        )

    def _item(self, key: dict[str, str]) -> dict[str, Any] | None:
        with translate_dynamodb_errors("reading an event"):
            found: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return found


class DynamoRecentEvents:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def list_recent_events(self, owner: Owner, *, limit: int) -> list[Event]:
        """Return only episodes whose text lies in the item: a fallback does not wait for a second store."""
        with translate_dynamodb_errors("reading recent episodes"):
            answer = self._table.query(
                IndexName="by_user",
                KeyConditionExpression=Key("user_pk").eq(f"T#{owner.tenant}#U#{owner.user}"),
                ScanIndexForward=False,
                Limit=limit,
            )
        whole = (item for item in answer["Items"] if "spilled" not in item)
        return [RecordedEvent.model_validate_json(str(item["body"])).event for item in whole]
