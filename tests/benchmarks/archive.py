"""The cold tier.

What a cold episode weighs and costs, how fast rows go in and come back, and what is asked of AWS.

Times are of one process with the emulator in it; requests and bytes are AWS' own units. `make bench`.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from scripts.tier.report import DOLLARS
from tests.benchmarks.table import Table
from tests.factories import ADA, NOON, an_event, recorded
from tests.support.archive_tiers import ArchiveSetup, make_archive_setup

EPISODES, PER_DAY = 400, 100
BESIDE = (0, 1_000, 5_000)
"""Archived episodes that lie in the table beside the hundred that wait."""
WORDS = [
    "Lisbon",
    "balcony",
    "river",
    "tomatoes",
    "sister",
    "nurse",
    "night",
    "shift",
    "Sunday",
    "flat",
    "cat",
    "please",
    "remind",
    "me",
    "to",
    "call",
    "and",
    "the",
    "with",
    "my",
    "I",
    "moved",
    "found",
    "work",
    "sleeps",
]
MILLION = 1_000_000
GB = 10**9


def measure() -> Table:
    with make_archive_setup() as made:
        hot_bytes = _fill(made, EPISODES)
        with _asked(made) as archiving:
            began = time.perf_counter()
            outcome = made.archive()
            archived = time.perf_counter() - began
        with _asked(made) as idle:
            made.archive()
        made.now += timedelta(days=400)
        reads = [_read(made, objects) for objects in (1, 2, 4)]
    sizes = [_beside(others) for others in BESIDE]
    cold = outcome.bytes / outcome.episodes
    return Table(
        f"Cold tier: {EPISODES:,} sentences of one agent over {EPISODES // PER_DAY} days",
        ("figure", "value"),
        [
            ("bytes of an episode in DynamoDB, with its identity and index entries", f"{hot_bytes:,.0f}"),
            ("bytes of an episode in Parquet (zstd)", f"{cold:,.0f} ({hot_bytes / cold:.1f} times less)"),
            ("dollars for a million episodes and month: DynamoDB", f"{_month(hot_bytes, 'DYNAMODB'):.3f}"),
            *(
                (f"dollars for a million episodes and month: {name}", f"{_month(cold, name):.4f}")
                for name in ("STANDARD", "INTELLIGENT_TIERING", "GLACIER_IR")
            ),
            ("rows archived a second, stamps included", f"{outcome.episodes / archived:,.0f}"),
            ("requests of that run", _said(archiving)),
            ("requests when nothing waits, whatever is stored: one query a shard", _said(idle)),
            *reads,
            *sizes,
        ],
    )


def _fill(made: ArchiveSetup, count: int) -> float:
    """Record sentences, and return what an episode's items weigh; an index entry weighs what it repeats."""
    chance = random.Random(7)  # noqa: S311 - sentences, not secrets
    for number in range(count):
        moment = NOON - timedelta(days=2) + timedelta(days=number // PER_DAY, seconds=number % PER_DAY)
        text = " ".join(chance.choices(WORDS, k=chance.randint(6, 24)))
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


def _read(made: ArchiveSetup, days: int) -> tuple[str, str]:
    with _asked(made) as asked:
        began = time.perf_counter()
        found = made.walk(ADA, limit=days * PER_DAY)[: days * PER_DAY]
        took = time.perf_counter() - began
    read = f"{len(found) / took:,.0f} rows a second, {_said(asked)}"
    return f"reading {len(found):,} cold episodes of {days} object(s)", read


def _beside(others: int) -> tuple[str, str]:
    """Archive a hundred episodes beside others, and say what that asked of AWS and how many items came back."""
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
        looked: Counter[str] = Counter()

        def count(parsed: Any, **_: object) -> None:
            looked["items"] += int(parsed.get("ScannedCount", 0))

        made.table.meta.client.meta.events.register("after-call.dynamodb.Query", count)
        with _asked(made) as asked:
            made.archive()
    return (
        f"archiving {PER_DAY} beside {others:,} others in the table",
        f"{_said(asked)}; {looked['items']} items looked at",
    )


def _month(size: float, where: str) -> float:
    return size * MILLION / GB * DOLLARS[where]


def _said(asked: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(asked.items())) or "none"


@contextmanager
def _asked(made: ArchiveSetup) -> Iterator[Counter[str]]:
    seen: Counter[str] = Counter()

    def count(model: Any, **_: object) -> None:
        seen[model.name] += 1

    clients = (made.table.meta.client, made.s3)
    for client in clients:
        client.meta.events.register("before-call", count)
    yield seen
    for client in clients:
        client.meta.events.unregister("before-call", count)
