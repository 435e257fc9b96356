"""Search inside a tenant: recall, short answers and time, beside the bare SQL query in the same run.

`make bench-tenants ROWS=1000000 TENANTS=1000 DIMENSIONS=384` for another size than the usual one.
"""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from functions.migrate.usecase import maintain_indexes
from membus.search.postgres.scope_indexes import PostgresScopeIndexes
from tests.benchmarks.table import Table
from tests.benchmarks.tenants.data import Crowd, K, Size, Vectors
from tests.benchmarks.tenants.ways import BESIDE, Way, ways
from tests.integration.databases import Database, postgres

LARGE = 20_000
PARTS = (50, 95, 99)
Asked = Sequence[tuple[int, Vectors]]
Timed = dict[str, list[tuple[float, list[str]]]]


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
        timed = _timed(ways(database, opened), asked)
    return Table(
        title=f"Search inside a tenant: {size.rows:,} rows, {size.tenants:,} Zipf tenants, {size.dimensions} "
        f"dimensions, k = {K}; {made} scopes above {LARGE:,} rows, indexed in {seconds:.0f} s",
        columns=(
            "way",
            "recall@10",
            "short answers",
            *(f"p{part} ms" for part in PARTS),
            *(f"x p{part}" for part in PARTS),
        ),
        rows=tuple(_row(name, timed, truths) for name in timed),
    )


def _size() -> Size:
    asked = os.environ  # noqa: TID251 - what `make` was told
    usual = Size()
    return Size(
        rows=int(asked.get("ROWS") or usual.rows),
        tenants=int(asked.get("TENANTS") or usual.tenants),
        dimensions=int(asked.get("DIMENSIONS") or usual.dimensions),
    )


def _tended(database: Database) -> int:
    with database.open(database.owner) as connection:
        return len(maintain_indexes(PostgresScopeIndexes(connection), at_least=LARGE)["made"])


def _timed(all_ways: Mapping[str, Way], asked: Asked) -> Timed:
    """Return milliseconds and ids of each question by each way.

    All are asked in turn, so a busy moment hits all.
    """
    timed: Timed = {name: [] for name in all_ways}
    for number, (owner, query) in enumerate([*asked[:20], *asked]):
        for name, way in all_ways.items():
            start = time.perf_counter()
            answer = way(f"t{owner}", query)
            if number >= len(asked[:20]):  # the first ones warm up
                timed[name].append(((time.perf_counter() - start) * 1000, answer))
    return timed


def _row(name: str, timed: Timed, truths: Sequence[set[str]]) -> tuple[str, ...]:
    answers = [answer for _, answer in timed[name]]
    hits = [len(truth & set(answer)) / len(truth) for answer, truth in zip(answers, truths, strict=True)]
    short = sum(len(answer) < len(truth) for answer, truth in zip(answers, truths, strict=True))
    recall = (
        "-" if "10 texts" in name or "hybrid" in name else f"{np.mean(hits):.3f}"
    )  # by words too: another order
    mine, beside = _parts(timed[name]), _parts(timed[BESIDE.get(name, name)])
    ratios = [
        f"{one / other:.2f}" if name in BESIDE else "-" for one, other in zip(mine, beside, strict=True)
    ]
    return name, recall, str(short), *(f"{one:.2f}" for one in mine), *ratios


def _parts(timed: Sequence[tuple[float, object]]) -> list[float]:
    return [float(np.percentile([milliseconds for milliseconds, _ in timed], part)) for part in PARTS]
