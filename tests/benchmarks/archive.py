"""The archive: bytes and price of an archived episode, rows a second in and out, and the requests of both.

Times are of one process with the emulator in it; requests and bytes are AWS' own units.
"""

import random
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from scripts.tier.report import DOLLARS
from tests.benchmarks.aws_calls import count_calls
from tests.benchmarks.table import Table
from tests.factories import ADA, NOON, an_event, recorded
from tests.support.archive_tiers import ArchiveSetup, make_archive_setup

EPISODES, PER_DAY = 400, 100
OTHERS = (0, 1_000, 5_000)
"""Archived episodes in the table beside the hundred unarchived ones."""
WORDS = (
    "Lisbon balcony river tomatoes sister nurse night shift Sunday flat cat please remind me to call and the "
    "with my I moved found work sleeps"
)
MILLION = 1_000_000
GB = 10**9


def measure() -> Table:
    with make_archive_setup() as made:
        hot_bytes = _fill(made, EPISODES)
        with count_calls(*_clients(made)) as archiving:
            began = time.perf_counter()
            outcome = made.archive()
            archived = time.perf_counter() - began
        with count_calls(*_clients(made)) as idle:
            made.archive()
        made.now += timedelta(days=400)
        reads = [_measure_read(made, objects) for objects in (1, 2, 4)]
    sizes = [_measure_archiving(others) for others in OTHERS]
    cold = outcome.bytes / outcome.episodes
    return Table(
        f"Archive: {EPISODES:,} sentences of one agent over {EPISODES // PER_DAY} days",
        ("figure", "value"),
        [
            ("bytes of an episode in DynamoDB, with its identity and index entries", f"{hot_bytes:,.0f}"),
            ("bytes of an episode in Parquet (zstd)", f"{cold:,.0f} ({hot_bytes / cold:.1f} times less)"),
            ("dollars for a million episodes and month: DynamoDB", f"{_month(hot_bytes, 'DYNAMODB'):.3f}"),
            *(
                (f"dollars for a million episodes and month: {name}", f"{_month(cold, name):.4f}")
                for name in ("STANDARD", "INTELLIGENT_TIERING", "GLACIER_IR")
            ),
            ("rows archived a second, marks included", f"{outcome.episodes / archived:,.0f}"),
            ("requests of that run", str(archiving)),
            ("requests when nothing is unarchived: one query a shard", str(idle)),
            *reads,
            *sizes,
        ],
    )


def _fill(made: ArchiveSetup, count: int) -> float:
    """Record sentences; return the bytes of an episode's items, index entries included."""
    chance = random.Random(7)  # noqa: S311 - sentences, not secrets
    for number in range(count):
        moment = NOON - timedelta(days=2) + timedelta(days=number // PER_DAY, seconds=number % PER_DAY)
        text = " ".join(chance.choices(WORDS.split(), k=chance.randint(6, 24)))
        event = an_event(f"e{number}", agent_id="guide", occurred_at=moment, payload={"text": text})
        made.episodes.record_event(recorded(event), extracted=None)
    items = made.table.scan(Limit=200)["Items"]
    weights = Counter[str]()
    for item in items:
        kind = "episode" if "#E#" in str(item["pk"]) else "identity"
        own = sum(len(name) + len(str(value).encode()) for name, value in item.items())
        weights[kind] += own * (2 if kind == "episode" else 1) + 100
        weights[f"{kind}s"] += 1
    return sum(weights[kind] / max(weights[f"{kind}s"], 1) for kind in ("episode", "identity"))


def _measure_read(made: ArchiveSetup, days: int) -> tuple[str, str]:
    with count_calls(*_clients(made)) as calls:
        began = time.perf_counter()
        found = made.walk(ADA, limit=days * PER_DAY)[: days * PER_DAY]
        took = time.perf_counter() - began
    read = f"{len(found) / took:,.0f} rows a second, {calls}"
    return f"reading {len(found):,} archived episodes of {days} object(s)", read


def _measure_archiving(others: int) -> tuple[str, str]:
    """Archive a hundred episodes in a table with `others` archived ones."""
    with make_archive_setup() as made:
        with made.table.batch_writer() as batch:
            for number in range(others):
                batch.put_item(
                    Item={
                        "pk": f"T#acme#A#guide#E#2020-01-{number % 28 + 1:02d}",
                        "sk": f"{number:026d}#e{number}",
                    }
                )
        _fill(made, PER_DAY)
        with count_calls(*_clients(made)) as calls:
            made.archive()
    return f"archiving {PER_DAY} beside {others:,} others in the table", f"{calls}; {calls.items} items read"


def _clients(made: ArchiveSetup) -> tuple[Any, Any]:
    return made.table.meta.client, made.s3


def _month(size: float, where: str) -> float:
    return size * MILLION / GB * DOLLARS[where]
