"""Reads of the archive by the number of objects of an agent: requests, bytes and time.

Times are of one process with the emulator in it: only their ratio means something.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

from membus.aws.s3 import S3Blobs
from membus.episodes.archive.model import pack_rows
from membus.episodes.archive.reader import ArchivedEpisodes
from membus.episodes.archive.s3 import S3ArchiveObjects
from membus.episodes.model import EpisodeQuery
from tests.benchmarks.aws_calls import AwsCalls, count_calls
from tests.benchmarks.table import Table
from tests.factories import ADA, NOON, a_cold_row
from tests.support.archive_tiers import BUCKET, ArchiveSetup, make_archive_setup

SIZES = (1, 10, 100, 1_000)
ROWS = 2
PAGE = 50
TIMES = 3


def measure() -> Table:
    with make_archive_setup() as made:
        for size in SIZES:
            _fill(made, size)
        rows = [
            row
            for what, days in (
                ("one day in the middle", 1),
                (f"the first page of {PAGE}", None),
                ("everything", None),
            )
            for row in _rows(made, what, days)
        ]
    return Table(
        f"Reads of the archive of an agent with as many objects, {ROWS} episodes each",
        (
            "read",
            "objects",
            "episodes",
            "S3 GET",
            "S3 bytes",
            "DynamoDB queries",
            "DynamoDB bytes",
            "ms",
            "time, ratio",
        ),
        rows,
    )


def _fill(made: ArchiveSetup, size: int) -> None:
    for number in range(size):
        moment = NOON - timedelta(days=size - number)
        rows = [
            a_cold_row(f"e{number}-{n}", owner=ADA, occurred_at=moment + timedelta(minutes=n))
            for n in range(ROWS)
        ]
        pack = pack_rows("acme", f"agent{size}", moment.date(), rows, hot_until=NOON)
        made.archiver.catalog.add_object(made.archiver.objects.put_pack(pack))


def _rows(made: ArchiveSetup, what: str, days: int | None) -> Iterator[tuple[str, ...]]:
    first = 0.0
    for size in SIZES:
        middle = NOON.replace(hour=0) - timedelta(days=(size + 1) // 2)
        wanted = EpisodeQuery(
            tenant="acme",
            agent=f"agent{size}",
            start=middle if days else NOON - timedelta(days=size + 1),
            end=middle + timedelta(days=days) if days else NOON,
        )
        found, took, calls = 0, 0.0, AwsCalls()
        for _ in range(TIMES):
            found, took, calls = _read(made, wanted, whole=what == "everything")
        first = first or took
        yield (
            what,
            f"{size:,}",
            f"{found:,}",
            f"{calls.requests['GetObject']:,}",
            f"{calls.bytes_read:,}",
            f"{calls.requests['Query']:,}",
            f"{calls.dynamodb_bytes:,}",
            f"{took * 1000:,.0f}",
            f"{took / first:.1f}",
        )


def _read(made: ArchiveSetup, wanted: EpisodeQuery, *, whole: bool) -> tuple[int, float, AwsCalls]:
    """Read one page or all, as a process does that has read nothing yet."""
    objects, contents = S3ArchiveObjects(lambda: made.s3, BUCKET), S3Blobs(lambda: made.s3, BUCKET)
    reader = ArchivedEpisodes(
        made.archiver.catalog, lambda: objects, contents, lambda: NOON + timedelta(days=400)
    )
    found, after = 0, None
    with count_calls(made.table.meta.client, made.s3) as calls:
        began = time.perf_counter()
        while True:
            page = reader.list_episodes(wanted, limit=PAGE, after=after)
            found, after = found + len(page.items), page.after
            if after is None or not whole:
                return found, time.perf_counter() - began, calls
