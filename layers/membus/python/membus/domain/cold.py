"""The cold tier: episodes packed into Parquet objects, and the catalog's entry that vouches for each of them."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import AwareDatetime

from membus.domain.event import Recorded
from membus.domain.identity import Id, Record

SCHEMA = 1
"""Version of the rows below; a reader refuses an object of a later one instead of guessing."""
SMALL_BYTES = 8 * 2**20
"""An object up to here is read whole, checked against its checksum and kept in memory; a larger one by ranges."""


MERGED_AT_ONCE = 90
"""Objects that become one: the catalog exchanges them in one transaction, which takes a hundred writes."""


class ColdRow(Record):
    """One episode. `body` is what the hot item held, word for word: a rebuild from it is byte for byte the same.

    `place` is the item's sort key, `<ulid of occurred_at>#<event id>`. A payload above 32 KB stays where `spilled`
    points to. The other columns are there to be filtered by.
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
    def of(cls, place: str, body: str, *, spilled: str | None = None, spilled_bytes: int = 0) -> "ColdRow":
        event = Recorded.model_validate_json(body).event
        return cls(
            place=place, event_id=event.event_id, user_id=event.user_id, session_id=event.session_id, type=event.type,
            occurred_at=event.occurred_at, body=body, spilled=spilled, spilled_bytes=spilled_bytes,
        )  # fmt: skip


class ColdObject(Record):
    """A verified object: `rows` episodes of one agent from the place `first` to `last`, `bytes` long.

    `day` is the first day it holds. Until `hot_until` every one of its episodes is still in DynamoDB, too.
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
    schema_version: int = SCHEMA

    @property
    def key(self) -> str:
        return f"{self.tenant}/{self.agent}/{self.day:%Y-%m-%d}/{self.name}.parquet"


class Packed(Record):
    """Rows on their way into an object whose name they determine: packed again, they are the same object."""

    tenant: Id
    agent: Id
    day: date
    rows: tuple[ColdRow, ...]
    hot_until: AwareDatetime

    @property
    def name(self) -> str:
        digest = hashlib.sha256()
        for row in self.rows:
            digest.update(f"{row.place}\n{row.body}\n{row.spilled or ''}\n".encode())
        return f"{self.rows[0].place[:10]}-{digest.hexdigest()[:24]}"

    @property
    def key(self) -> str:
        return f"{self.tenant}/{self.agent}/{self.day:%Y-%m-%d}/{self.name}.parquet"

    def kept(self, *, size: int, sha256: str) -> ColdObject:
        return ColdObject(
            tenant=self.tenant, agent=self.agent, day=self.day, name=self.name, first=self.rows[0].place,
            last=self.rows[-1].place, rows=len(self.rows), bytes=size, sha256=sha256, hot_until=self.hot_until,
        )  # fmt: skip


def packed(tenant: str, agent: str, day: date, rows: Iterable[ColdRow], *, hot_until: datetime) -> Packed:
    """Pack rows in time order, each place once."""
    unique = {row.place: row for row in rows}
    return Packed(
        tenant=tenant, agent=agent, day=day, rows=tuple(unique[place] for place in sorted(unique)), hot_until=hot_until
    )


def mergeable(objects: Sequence[ColdObject], *, target_bytes: int) -> list[list[ColdObject]]:
    """Return groups of one agent's objects of one month, in time order, that are better off as one object each.

    Objects of `target_bytes` or more are left alone; a group ends before it would outgrow one and a half of that, or
    `MERGED_AT_ONCE` objects.
    """
    groups: list[list[ColdObject]] = []
    size = 0
    for each in sorted((each for each in objects if each.bytes < target_bytes), key=lambda each: each.first):
        if not groups or size + each.bytes > target_bytes * 3 // 2 or len(groups[-1]) == MERGED_AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(each)
        size += each.bytes
    return [group for group in groups if len(group) > 1]
