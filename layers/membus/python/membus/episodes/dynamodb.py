"""Episodes and the identities of events in DynamoDB.

An event's identity says where its episode lies and which extractor has read it. The episode lies in a
partition of its agent's day, in the order of time; index `by_user` lists it for its user, and the sparse
index `unarchived` until its cold copy is verified. A payload above 32 KB lies in the content store and
`spilled` names it by its hash: a copy of the event finds it there.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key

from membus.aws.dynamodb.keys import AgentDay, ItemKey, day_pks, days_prefix, event_pk, unarchived_pk, user_pk
from membus.aws.dynamodb.table import ABSENT, DynamoTable, Item, Write, put_item, read_body
from membus.core.blobs import BlobStore, discard_text, is_large_text
from membus.core.clock import Clock
from membus.core.erasure import erasure_subject
from membus.core.errors import ConflictError, UnavailableError
from membus.core.event import DEFAULT_AGENT, FORGOTTEN, Event, RecordedEvent
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

ANSWER_PREFIX = "answer:"
ARCHIVE_SHARDS = 16
"""Every tenant writes the archiver's index once per event, and one partition takes 1,000 writes a second."""


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
    """Return the prefix of a user's large payloads; it does not name the user."""
    return f"episodes/{tenant}/{erasure_subject(tenant, user)}/"


def recording_writes(
    recorded: RecordedEvent,
    *,
    extracted: str | None,
    spilled: LargePayload | None = None,
    shards: int = 1,
) -> list[Write]:
    """Return the two writes that record an event, if it is new: its identity and its episode."""
    episode = _episode_item(recorded, spilled, shards)
    identity = {
        **identity_key(recorded.owner, recorded.event_id),
        "episode_pk": episode["pk"],
        "episode_sk": episode["sk"],
        **({"extracted": extracted} if extracted else {}),
    }
    return [put_item(identity, ABSENT), put_item(episode)]


def load_recorded(item: dict[str, Any], contents: BlobStore) -> RecordedEvent:
    """Return the event of an episode's item, with its payload from wherever it lies."""
    recorded = read_body(item, RecordedEvent)
    if "spilled" not in item:
        return recorded
    text = contents.get_text(str(item["spilled"]))
    if text is None:
        raise UnavailableError(f"the payload of event {recorded.event.event_id} cannot be found")
    event = recorded.event.model_copy(update={"payload": json.loads(text)})
    return recorded.model_copy(update={"event": event})


def identity_key(owner: Owner, event_id: str) -> ItemKey:
    return {"pk": event_pk(owner, event_id), "sk": "EVENT"}


def answer_attribute(prompt_version: str, model: str) -> str:
    """Return the attribute of an identity that keeps what a model proposed for the event."""
    return f"{ANSWER_PREFIX}{prompt_version}:{model}"


def _episode_item(recorded: RecordedEvent, spilled: LargePayload | None, shards: int) -> Item:
    event = recorded.event
    day = AgentDay(event.tenant_id, event.agent_id, event.occurred_at.astimezone(UTC).date())
    pk = day_pks(day, shards)[zlib.crc32(event.event_id.encode()) % shards]
    sk = place_of(event)
    if spilled:
        recorded = recorded.model_copy(update={"event": event.model_copy(update={"payload": {}})})
    return {
        "pk": pk,
        "sk": sk,
        "user_pk": user_pk(event.owner),
        "user_sk": sk,
        "unarchived": unarchived_pk(zlib.crc32(pk.encode()) % ARCHIVE_SHARDS),
        "body": recorded.model_dump_json(by_alias=True, exclude={"extracted"}),
        **({"session_id": event.session_id} if event.session_id else {}),
        **({"spilled": spilled.key, "spilled_bytes": len(spilled.text.encode())} if spilled else {}),
    }


class DynamoEpisodes:
    """`shards` is the number of partitions of one agent's day. It may grow and must not shrink."""

    def __init__(self, table: "Table", contents: BlobStore, shards: int = 1) -> None:
        self._table, self._contents, self._shards = DynamoTable(table), contents, shards

    def record_event(self, recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        outside = large_payload(recorded.event)
        if outside:
            self._contents.put_text(outside.key, outside.text)
        writes = recording_writes(recorded, extracted=extracted, spilled=outside, shards=self._shards)
        try:
            self._table.transact(writes, doing="recording an event")
        except ConflictError:
            return self._first_copy(recorded, outside.key if outside else None)
        return recorded.model_copy(update={"extracted": extracted})

    def forget_event(self, recorded: RecordedEvent) -> None:
        identity = identity_key(recorded.owner, recorded.event_id)
        with suppress(ConflictError):  # the same id was recorded before: the first copy decides
            self._table.write(
                put_item({**identity, "extracted": FORGOTTEN}, ABSENT), doing="forgetting an event"
            )

    def _first_copy(self, recorded: RecordedEvent, kept: str | None) -> RecordedEvent:
        """Return the first copy; a transaction that merely collided left none and asks for another try.

        Nothing points to what was kept for a copy that says something else. Whether it does, nobody looks for
        an episode that lies in the archive alone: the copy speaks for it.
        """
        key = identity_key(recorded.owner, recorded.event_id)
        identity = self._table.get(key, doing="reading an event's identity")
        if identity is None:
            raise ConflictError("two copies of one event arrived at once")
        episode = self._episode_of(identity)
        known = "episode_pk" not in identity or bool(episode)
        if known and kept != episode.get("spilled"):
            discard_text(self._contents, kept)
        first = load_recorded(episode, self._contents) if episode else recorded
        return first.model_copy(update={"extracted": identity.get("extracted")})

    def _episode_of(self, identity: Item) -> Item:
        """Return the item of an episode, empty for a forgotten event or an expired hot copy."""
        if "episode_pk" not in identity:
            return {}
        found = self._table.get(episode_key(identity), doing="reading an episode")
        if found is None and "extracted" not in identity:
            raise UnavailableError("this event is being erased or moved right now")
        return found or {}


def episode_key(identity: Item) -> ItemKey:
    """Return where the episode of an identity lies that has one."""
    return {"pk": str(identity["episode_pk"]), "sk": str(identity["episode_sk"])}


READS_MAX = 100
"""Partitions read for one page: half a second where nothing is found, then the caller comes back."""
FILTERED_PAGE_ITEMS = 1000
"""Items read at once where most of them may belong to another session; DynamoDB stops at 1 MB anyway."""


@dataclass(frozen=True)
class _Leg:
    """Partitions that share a stretch of time, up to the mark `end`: their items are merged."""

    keys: Sequence[ConditionBase]
    end: str


class DynamoEpisodeReader:
    """Reads day after day of an agent, or along the index of one of its users."""

    def __init__(
        self,
        table: "Table",
        contents: BlobStore,
        clock: Clock,
        shards: int = 1,
        filtered_page_items: int = FILTERED_PAGE_ITEMS,
    ) -> None:
        self._table, self._contents, self._clock, self._shards = DynamoTable(table), contents, clock, shards
        self._filtered_page_items = filtered_page_items

    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        mark, last = after["mark"] if after else mark_before(wanted.start), mark_before(wanted.end)
        found: list[Item] = []
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
            owner = Owner(tenant=wanted.tenant, user=str(wanted.user_id))
            return _Leg([Key("user_pk").eq(user_pk(owner))], last)
        day = moment_of(mark).date()
        tomorrow = datetime.combine(day + timedelta(days=1), time(), UTC)
        pks = day_pks(AgentDay(wanted.tenant, wanted.agent, day), self._shards)
        return _Leg([Key("pk").eq(pk) for pk in pks], min(last, mark_before(tomorrow)))

    def _merged(self, wanted: EpisodeQuery, leg: _Leg, mark: str, limit: int) -> tuple[list[Item], str]:
        """Return a leg's next items in order, and the mark up to which nothing is missing.

        A partition that has more says how far it was read; beyond the nearest of these points another one's
        items could come too early.
        """
        merged: list[Item] = []
        complete = leg.end
        for key in leg.keys:
            page = self._page(wanted, key, mark, leg.end, limit)
            merged += page.items
            if page.after:
                complete = min(complete, page.after["sk"])
        ordered = sorted(merged, key=lambda item: str(item["sk"]))
        return [item for item in ordered if item["sk"] <= complete], complete

    def _page(self, wanted: EpisodeQuery, key: ConditionBase, mark: str, end: str, limit: int) -> Page[Item]:
        by_user = wanted.user_id is not None
        index: dict[str, Any] = {"IndexName": "by_user"} if by_user else {}
        # A space sorts before every letter of an id or a ULID: right after the mark, be it an item or not.
        within = Key("user_sk" if by_user else "sk").between(f"{mark} ", end)
        return self._table.query_page(
            key & within,
            doing="reading episodes",
            limit=self._filtered_page_items if by_user or wanted.session_id else limit,
            FilterExpression=self._filter(wanted),
            **index,
        )

    def _filter(self, wanted: EpisodeQuery) -> ConditionBase:
        now = int(self._clock().timestamp())
        live: ConditionBase = Attr("expires_at").not_exists() | Attr("expires_at").gt(now)
        if wanted.user_id and wanted.agent:
            live &= Attr("pk").begins_with(days_prefix(wanted.tenant, wanted.agent))
        if wanted.visible_to:
            own, nobodys = (days_prefix(wanted.tenant, each) for each in (wanted.visible_to, DEFAULT_AGENT))
            live &= Attr("pk").begins_with(own) | Attr("pk").begins_with(nobodys)
        return live & Attr("session_id").eq(wanted.session_id) if wanted.session_id else live

    def _episode(self, item: Item) -> Episode:
        recorded = load_recorded(item, self._contents)
        return Episode(event=recorded.event, learned_at=recorded.learned_at)


def _size(item: Item) -> int:
    return len(str(item["body"]).encode()) + int(item.get("spilled_bytes", 0))


class DynamoEventTraces:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def find_trace(self, owner: Owner, event_id: str) -> EventTrace | None:
        identity = self._table.get(identity_key(owner, event_id), doing="reading an event")
        if identity is None:
            return None
        episode: Item = {}
        if identity.get("episode_pk"):
            episode = self._table.get(episode_key(identity), doing="reading an event") or {}
        body, share = episode.get("body"), identity.get("took")
        recorded = RecordedEvent.model_validate_json(str(body)) if body else None
        return EventTrace(
            event=recorded.event if recorded else None,
            extracted=identity.get("extracted"),
            learned_at=recorded.learned_at if recorded else None,
            answers={
                name.removeprefix(ANSWER_PREFIX): str(value)
                for name, value in sorted(identity.items())
                if name.startswith(ANSWER_PREFIX)
            },
            share=ReadingCost.model_validate_json(str(share)) if share else None,
        )


class DynamoRecentEvents:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def list_recent_events(self, owner: Owner, *, limit: int) -> list[Event]:
        """Return only episodes whose text lies in the item: a fallback does not wait for a second store."""
        newest = self._table.query_page(
            Key("user_pk").eq(user_pk(owner)),
            doing="reading recent episodes",
            limit=limit,
            IndexName="by_user",
            ScanIndexForward=False,
        )
        whole = (item for item in newest.items if "spilled" not in item)
        return [read_body(item, RecordedEvent).event for item in whole]
