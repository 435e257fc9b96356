"""The archive of episodes: rows in Parquet objects, the catalog's entry of each, and queries in SQL."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import AwareDatetime

from membus.core.event import RecordedEvent
from membus.core.identity import Id, Record

ROW_SCHEMA = 1
"""Version of the rows below; a reader refuses an object of a later one instead of guessing."""
SMALL_BYTES = 8 * 2**20
"""An object up to this size is read whole, checked and cached; a larger one is read by ranges."""


class EpisodeRow(Record):
    """One episode, with its stored event in `body`; the other columns are there to be filtered by.

    `place` is the hot item's sort key, `<ulid of occurred_at>#<event id>`. A payload above 32 KB stays in the
    blob store under the key `spilled`.
    """

    place: str
    event_id: Id
    user_id: Id
    session_id: Id | None
    type: str
    occurred_at: AwareDatetime
    body: str
    spilled: str | None = None
    spilled_bytes: int = 0

    @classmethod
    def from_item(
        cls, place: str, body: str, *, spilled: str | None = None, spilled_bytes: int = 0
    ) -> "EpisodeRow":
        event = RecordedEvent.model_validate_json(body).event
        return cls(
            place=place,
            event_id=event.event_id,
            user_id=event.user_id,
            session_id=event.session_id,
            type=event.type,
            occurred_at=event.occurred_at,
            body=body,
            spilled=spilled,
            spilled_bytes=spilled_bytes,
        )


class ArchiveMonth(Record):
    """The objects of one agent that begin in the month of `first`, its first day."""

    tenant: Id
    agent: Id
    first: date

    @property
    def sort_key(self) -> str:
        return f"{self.agent}#{self.first:%Y-%m}"


class ArchiveObject(Record):
    """A verified object: `rows` episodes of one agent from the place `first` to `last`, `bytes` long.

    `day` is the first day it holds. Until `hot_until` all of its episodes are still in DynamoDB, too.
    """

    tenant: Id
    agent: Id
    day: date
    name: str
    first: str
    last: str
    rows: int
    bytes: int
    sha256: str
    hot_until: AwareDatetime
    schema_version: int = ROW_SCHEMA

    @property
    def object_key(self) -> str:
        return _object_key(self.tenant, self.agent, self.day, self.name)

    @property
    def month(self) -> ArchiveMonth:
        return ArchiveMonth(tenant=self.tenant, agent=self.agent, first=self.day.replace(day=1))

    @property
    def sort_key(self) -> str:
        """The object's position in a walk over all objects: by agent and last row.

        A walk that has come to a position has met every row before it, whatever was merged meanwhile.
        """
        return f"{self.agent}#{self.last}"


class ArchivePack(Record):
    """Rows that are about to become an object, whose name follows from them."""

    tenant: Id
    agent: Id
    day: date
    rows: tuple[EpisodeRow, ...]
    hot_until: AwareDatetime

    @property
    def object_name(self) -> str:
        digest = hashlib.sha256()
        for row in self.rows:
            digest.update(f"{row.place}\n{row.body}\n{row.spilled or ''}\n".encode())
        return f"{self.rows[0].place[:10]}-{digest.hexdigest()[:24]}"

    @property
    def object_key(self) -> str:
        return _object_key(self.tenant, self.agent, self.day, self.object_name)

    def to_object(self, *, size: int, sha256: str) -> ArchiveObject:
        return ArchiveObject(
            tenant=self.tenant,
            agent=self.agent,
            day=self.day,
            name=self.object_name,
            first=self.rows[0].place,
            last=self.rows[-1].place,
            rows=len(self.rows),
            bytes=size,
            sha256=sha256,
            hot_until=self.hot_until,
        )


def _object_key(tenant: str, agent: str, day: date, name: str) -> str:
    return f"{tenant}/{agent}/{day:%Y-%m-%d}/{name}.parquet"


def pack_rows(
    tenant: str, agent: str, day: date, rows: Iterable[EpisodeRow], *, hot_until: datetime
) -> ArchivePack:
    """Return the rows in time order, each place once."""
    unique = {row.place: row for row in rows}
    ordered = tuple(unique[place] for place in sorted(unique))
    return ArchivePack(tenant=tenant, agent=agent, day=day, rows=ordered, hot_until=hot_until)


TARGET_BYTES = 128 * 2**20
"""Objects of this size are not merged: one request more is nothing beside what they hold."""
MERGED_AT_ONCE = 90
"""Objects that become one: the catalog replaces them in one transaction of at most 100 writes."""
OUTWEIGHED, MANY_OBJECTS = 4, 16
"""Small objects are merged with a large one once they are a fifth of the whole, or sixteen in number.

Otherwise a month would be written again every night for an event that came late.
"""


def mergeable_groups(
    objects: Sequence[ArchiveObject], *, target_bytes: int = TARGET_BYTES, patient: bool = False
) -> list[list[ArchiveObject]]:
    """Return groups of objects, of one agent and month and in time order, each to become one object.

    A group ends before it would exceed one and a half of `target_bytes`, or `MERGED_AT_ONCE` objects. A
    `patient` run leaves out a few small objects beside one that is much larger.
    """
    groups: list[list[ArchiveObject]] = []
    size = 0
    for each in sorted((each for each in objects if each.bytes < target_bytes), key=lambda each: each.first):
        if not groups or size + each.bytes > target_bytes * 3 // 2 or len(groups[-1]) == MERGED_AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(each)
        size += each.bytes
    return [group for group in groups if len(group) > 1 and not (patient and _can_wait(group))]


def _can_wait(group: Sequence[ArchiveObject]) -> bool:
    largest, total = max(each.bytes for each in group), sum(each.bytes for each in group)
    return len(group) < MANY_OBJECTS and largest > OUTWEIGHED * (total - largest)


QUERY_COLUMNS = {
    "event_id": "VARCHAR",
    "user_id": "VARCHAR",
    "agent_id": "VARCHAR",
    "session_id": "VARCHAR",
    "type": "VARCHAR",
    "occurred_at": "TIMESTAMP",
    "payload": "JSON",
}
"""Columns of the one table `episodes`: `occurred_at` in UTC, a `payload` above 32 KB empty."""


class ArchiveQuery(Record):
    """One SELECT over the archived episodes of a tenant, or of one `user` where named.

    Of `visible_to`, an agent, only its own and those of no agent.

    The statement takes `now` for the present; rows of users in `without` are left out.
    """

    tenant: Id
    user: Id | None
    visible_to: Id | None = None
    sql: str
    since: date | None = None
    until: date | None = None
    now: datetime
    without: tuple[Id, ...] = ()


class QueryResult(Record):
    """Rows as text, None for null; `complete` says whether these are all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    complete: bool
