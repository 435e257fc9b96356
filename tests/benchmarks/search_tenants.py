"""Search inside a tenant: recall, short answers and time, beside the bare SQL query in the same run.

`make bench-tenants ROWS=1000000 TENANTS=1000 DIMENSIONS=384` for another size than the usual one.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from functions.migrate.scopes import tend
from membus.adapters.postgres_scope_indexes import PostgresScopeIndexes
from tests.benchmarks.table import Table
from tests.benchmarks.tenants.data import Crowd, K, Size, Vectors
from tests.benchmarks.tenants.ways import Way, ways
from tests.integration.databases import Database, postgres

LARGE = 20_000
Asked = Sequence[tuple[int, Vectors]]


def measure() -> Table:
    size = _size()
    crowd = Crowd(size)
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as server, ExitStack() as opened:
        database = crowd.fill(server)
        start = time.perf_counter()
        made = _tended(database)
        seconds = time.perf_counter() - start
        asked = crowd.asked()
        truths = [crowd.nearest(owner, query) for owner, query in asked]
        rows = [_row(name, way, asked, truths) for name, way in ways(database, opened).items()]
    return Table(
        title=f"Search inside a tenant: {size.rows:,} rows, {size.tenants:,} Zipf tenants, {size.dimensions} "
        f"dimensions, k = {K}; {made} scopes above {LARGE:,} rows, indexed in {seconds:.0f} s",
        columns=("way", "recall@10", "short answers", "p50 ms", "p95 ms", "p99 ms"),
        rows=tuple(rows),
    )


def _size() -> Size:
    asked = os.environ  # noqa: TID251 - what `make` was told
    usual = Size()
    return Size(
        rows=int(asked.get("ROWS") or usual.rows), tenants=int(asked.get("TENANTS") or usual.tenants),
        dimensions=int(asked.get("DIMENSIONS") or usual.dimensions),
    )  # fmt: skip


def _tended(database: Database) -> int:
    with database.open(database.owner) as connection:
        return len(tend(PostgresScopeIndexes(connection), at_least=LARGE)["made"])


def _row(name: str, way: Way, asked: Asked, truths: Sequence[set[str]]) -> tuple[str, ...]:
    for owner, query in asked[:20]:
        way(f"t{owner}", query)
    hits, short, times = 0.0, 0, []
    for (owner, query), truth in zip(asked, truths, strict=True):
        start = time.perf_counter()
        answer = way(f"t{owner}", query)
        times.append((time.perf_counter() - start) * 1000)
        hits += len(truth & set(answer)) / len(truth)
        short += len(answer) < len(truth)
    by_words_too = "hybrid" in name or "ts_rank" in name  # another order is right there
    recall = "-" if by_words_too else f"{hits / len(asked):.3f}"
    return name, recall, str(short), *(f"{np.percentile(times, part):.2f}" for part in (50, 95, 99))
