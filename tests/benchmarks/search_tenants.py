"""Search inside a tenant: recall, short answers and time, compared with plain SQL in the same run.

`make bench-tenants ROWS=1000000 TENANTS=1000 DIMENSIONS=384` sets another size.
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
from tests.benchmarks.tenants.data import K, Size, TenantRows, Vectors
from tests.benchmarks.tenants.queries import COMPARED_WITH, SearchQuery, make_queries
from tests.integration.databases import Database, postgres

LARGE = 20_000
PARTS = (50, 95, 99)
Questions = Sequence[tuple[int, Vectors]]
Timed = dict[str, list[tuple[float, list[str]]]]


def measure() -> Table:
    size = _read_size()
    tenants = TenantRows(size)
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as server, ExitStack() as opened:
        database = tenants.fill_database(server)
        start = time.perf_counter()
        made = _index_scopes(database)
        seconds = time.perf_counter() - start
        questions = tenants.make_queries()
        truths = [tenants.find_nearest(owner, query) for owner, query in questions]
        timed = _time_queries(make_queries(database, opened), questions)
    return Table(
        title=f"Search inside a tenant: {size.rows:,} rows, {size.tenants:,} Zipf tenants, {size.dimensions} "
        f"dimensions, k = {K}; {made} scopes above {LARGE:,} rows, indexed in {seconds:.0f} s",
        columns=(
            "query",
            "recall@10",
            "short answers",
            *(f"p{part} ms" for part in PARTS),
            *(f"x p{part}" for part in PARTS),
        ),
        rows=tuple(_row(name, timed, truths) for name in timed),
    )


def _read_size() -> Size:
    given = os.environ  # noqa: TID251 - the variables of `make`
    names = ("rows", "tenants", "dimensions")
    return Size(**{name: int(given[name.upper()]) for name in names if given.get(name.upper())})


def _index_scopes(database: Database) -> int:
    with database.open(database.owner) as connection:
        return len(maintain_indexes(PostgresScopeIndexes(connection), at_least=LARGE)["made"])


def _time_queries(queries: Mapping[str, SearchQuery], questions: Questions) -> Timed:
    """Return milliseconds and ids by query; queries take turns, so that a busy moment hits all."""
    timed: Timed = {name: [] for name in queries}
    warm_up = questions[:20]
    for number, (owner, vector) in enumerate([*warm_up, *questions]):
        for name, query in queries.items():
            start = time.perf_counter()
            answer = query(f"t{owner}", vector)
            if number >= len(warm_up):
                timed[name].append(((time.perf_counter() - start) * 1000, answer))
    return timed


def _row(name: str, timed: Timed, truths: Sequence[set[str]]) -> tuple[str, ...]:
    answers = [answer for _, answer in timed[name]]
    hits = [len(truth & set(answer)) / len(truth) for answer, truth in zip(answers, truths, strict=True)]
    short = sum(len(answer) < len(truth) for answer, truth in zip(answers, truths, strict=True))
    by_words = "10 texts" in name or "hybrid" in name  # in another order than by vectors alone
    recall = "-" if by_words else f"{np.mean(hits):.3f}"
    mine, others = _percentiles(timed[name]), _percentiles(timed[COMPARED_WITH.get(name, name)])
    ratios = [
        f"{one / other:.2f}" if name in COMPARED_WITH else "-"
        for one, other in zip(mine, others, strict=True)
    ]
    return name, recall, str(short), *(f"{one:.2f}" for one in mine), *ratios


def _percentiles(timed: Sequence[tuple[float, object]]) -> list[float]:
    return [float(np.percentile([milliseconds for milliseconds, _ in timed], part)) for part in PARTS]
