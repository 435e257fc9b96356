"""The archiver and both tiers over a strict AWS in this process, with a clock that can be set."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3

from functions.archive.usecase import Archiver
from membus.core.errors import MembusError
from membus.core.identity import Owner
from membus.episodes.archive.dynamodb import DynamoArchiveCatalog, DynamoUnarchivedEpisodes
from membus.episodes.archive.model import EpisodeRow
from membus.episodes.archive.parquet import DuckDbParquet
from membus.episodes.archive.reader import ArchivedEpisodes, TieredEpisodes
from membus.episodes.archive.s3 import S3ArchiveObjects, parquet_file
from membus.episodes.dynamodb import ARCHIVE_SHARDS, DynamoEpisodeReader, DynamoEpisodes
from membus.episodes.model import Episode, EpisodeQuery
from membus.episodes.ports import EpisodeReader
from membus.erasure.dynamodb import DynamoErasures
from membus.erasure.guard import ErasureGuard
from tests.factories import ADA, NOON, an_event, recorded
from tests.strict import strict_aws
from tests.support.tables import make_bucket, make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client

HOT_DAYS = 30
BUCKET = "membus-test-archive"
GRACE = Owner(tenant="acme", user="grace")
DAYS = (-3, -2, -2, 0, 1)


@dataclass
class ArchiveSetup:
    table: "Table"
    s3: "S3Client"
    episodes: DynamoEpisodes
    reader: EpisodeReader
    archiver: Archiver
    problems: list[tuple[str, str]]
    erasures: DynamoErasures
    tenants: "Table"
    now: datetime = NOON + timedelta(days=10)

    def archive(self) -> Any:
        return self.archiver.archive_shards(range(ARCHIVE_SHARDS), before=self.now.date())

    def expire(self) -> None:
        """Let the time of all hot copies pass, and DynamoDB remove them."""
        self.now += timedelta(days=HOT_DAYS + 30)
        for item in self.items():
            if "expires_at" in item and int(item["expires_at"]) < self.now.timestamp():
                self.table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})

    def items(self) -> list[dict[str, Any]]:
        return [item for item in self.table.scan()["Items"] if "#E#" in str(item["pk"])]

    def keys_of_parquet(self) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [each["Key"] for each in listed if each["Key"].endswith(".parquet")]

    def walk(self, owner: Owner, *, limit: int = 100, **wanted: str) -> list[Episode]:
        query = EpisodeQuery(
            tenant=owner.tenant,
            agent="guide",
            start=NOON - timedelta(days=4),
            end=NOON + timedelta(days=6),
            **wanted,
        )
        found: list[Episode] = []
        after: dict[str, str] | None = None
        while True:
            page = self.reader.list_episodes(query, limit=limit, after=after)
            assert len(page.items) <= limit
            found += page.items
            after = page.after
            if after is None:
                return found


@contextmanager
def make_archive_setup() -> Iterator[ArchiveSetup]:
    with strict_aws():
        table, contents = make_table("memory"), make_bucket()
        s3: S3Client = boto3.client("s3", region_name="us-east-1")
        objects, catalog = S3ArchiveObjects(lambda: s3, BUCKET), DynamoArchiveCatalog(table)
        problems: list[tuple[str, str]] = []
        tenants = make_table("tenants")
        erasures = DynamoErasures(tenants)

        def on_failure(place: str, error: MembusError) -> None:
            problems.append((place, error.code))

        def clock() -> datetime:
            return made.now

        made = ArchiveSetup(
            table,
            s3,
            DynamoEpisodes(table, contents, shards=2),
            TieredEpisodes(
                DynamoEpisodeReader(table, contents, clock, shards=2),
                ArchivedEpisodes(catalog, lambda: objects, contents, clock),
            ),
            Archiver(
                unarchived=DynamoUnarchivedEpisodes(table),
                objects=objects,
                catalog=catalog,
                hot_days=HOT_DAYS,
                clock=clock,
                guard=ErasureGuard(erasures),
                seconds_left=lambda: 900,
                on_failure=on_failure,
            ),
            problems,
            erasures,
            tenants,
        )
        yield made


def rows_of(body: bytes) -> list[EpisodeRow]:
    """Return the rows of an object, whichever version of it."""
    with parquet_file(body) as path:
        return DuckDbParquet().read_rows(path)


@contextmanager
def calls(tiers: ArchiveSetup, happens: Callable[[str, int], None]) -> Iterator[list[str]]:
    """Tell `happens` of every call to AWS, before it is sent: its operation and its number."""
    seen: list[str] = []

    def before(model: Any, **_: object) -> None:
        seen.append(model.name)
        happens(model.name, len(seen))

    clients = (tiers.table.meta.client, tiers.s3)
    for client in clients:
        client.meta.events.register("before-call", before)
    try:
        yield seen
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", before)


def fill(tiers: ArchiveSetup, *owners: Owner, days: Sequence[int] = DAYS) -> list[str]:
    """Record episodes of Ada and Grace over several days, one of them large.

    Returns their ids in time order.
    """
    owners = owners or (ADA, GRACE)
    for number, day in enumerate(days):
        for owner in owners:
            text = "x" * 40_000 if number == 1 and owner is ADA else "hello"
            event = an_event(
                f"{owner.user}{number}",
                owner=owner,
                agent_id="guide",
                payload={"text": text},
                occurred_at=NOON + timedelta(days=day, minutes=number, seconds=owner is GRACE),
            )
            tiers.episodes.record_event(recorded(event), extracted=None)
    return [
        event_id for number in range(len(days)) for event_id in (f"{owner.user}{number}" for owner in owners)
    ]


def ids(episodes: list[Episode]) -> list[str]:
    return [each.event.event_id for each in episodes]
