"""Search inside a tenant: recall, short answers and time, beside the bare SQL query in the same run."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from functions.migrate.handler import SQL
from functions.migrate.usecase import migrate, migrations_in
from membus.adapters.postgres_memories import PostgresMemories
from membus.adapters.postgres_schema import PostgresSchema
from membus.adapters.postgres_tenants import TenantTransactions
from membus.domain.retrieval import Within
from membus.domain.search.query import read_query
from membus.domain.search.ranking import rank
from tests.benchmarks.table import Table
from tests.factories import NOON
from tests.integration.databases import Database, empty_database, postgres

ROWS, TENANTS, QUERIES, DIMENSIONS, K, TOPICS, MESSAGES = 20_000, 200, 300, 1024, 10, 400, 25
FIRST = NOON - timedelta(days=300)
WORDS = [f"word{number}" for number in range(2000)]
BARE = """
    SELECT v.id FROM membus.vectors v WHERE v.tenant_id = %s AND v.model = 'bench' AND v.scope = 'U#u'
    ORDER BY (v.embedding <=> %s::halfvec) + 0 LIMIT 10
"""
BOTH = """
    WITH near AS (
        SELECT v.id, row_number() OVER () AS place FROM (
            SELECT v.id FROM membus.vectors v WHERE v.tenant_id = %(tenant)s AND v.model = 'bench' AND v.scope = 'U#u'
            ORDER BY (v.embedding <=> %(vector)s::halfvec) + 0 LIMIT 100
        ) AS v
    ), said AS (
        SELECT m.id, row_number() OVER () AS place FROM (
            SELECT m.id FROM membus.memories m
            WHERE m.tenant_id = %(tenant)s AND m.scope = 'U#u' AND m.terms @@ %(words)s::tsquery
            ORDER BY ts_rank(m.terms, %(words)s::tsquery) DESC LIMIT 100
        ) AS m
    )
    SELECT m.id, m.text FROM (
        SELECT id, sum(1.0 / (60 + place)) AS score FROM (TABLE near UNION ALL TABLE said) AS either
        GROUP BY id ORDER BY score DESC LIMIT 10
    ) AS best JOIN membus.memories m USING (id) WHERE m.tenant_id = %(tenant)s ORDER BY best.score DESC
"""
MEMORIES = """
    COPY membus.memories (
        tenant_id, scope, id, group_id, part, kind, text, embedded_text, content_hash, stems, length, message_length,
        session, occurred_at, version
    ) FROM STDIN
"""
VECTORS = """
    COPY membus.vectors (tenant_id, model, id, scope, content_hash, embedding, kind, session, occurred_at) FROM STDIN
"""
Vectors = np.ndarray[Any, np.dtype[np.float32]]


def measure() -> Table:
    chance = np.random.default_rng(20261120)
    shares = 1 / np.arange(1, TENANTS + 1)
    owners = chance.choice(TENANTS, ROWS, p=shares / shares.sum())
    vectors = _clustered(chance, ROWS)
    asked = chance.integers(ROWS, size=QUERIES)
    queries = _unit(vectors[asked] + 0.5 * _unit(chance.standard_normal((QUERIES, DIMENSIONS))))
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as server, ExitStack() as opened:
        database = _filled(server, owners, vectors, chance)
        transactions = TenantTransactions(lambda: opened.enter_context(database.open(database.functions)))
        ways = _ways(database, transactions, opened)
        rows = [
            _row(name, way, [(f"t{owners[row]}", query) for row, query in zip(asked, queries, strict=True)],
                 [_truth(owners, vectors, owners[row], query) for row, query in zip(asked, queries, strict=True)])
            for name, way in ways.items()
        ]  # fmt: skip
    return Table(
        title=f"Search inside a tenant: {ROWS:,} rows, {TENANTS} Zipf tenants, {DIMENSIONS} dimensions, k = {K}",
        columns=("way", "recall@10", "short answers", "p50 ms", "p95 ms", "p99 ms"),
        rows=tuple(rows),
    )


Way = Callable[[str, Vectors], list[str]]


def _ways(database: Database, transactions: TenantTransactions, opened: ExitStack) -> dict[str, Way]:
    index = PostgresMemories(transactions, model="bench")
    bare = opened.enter_context(database.open(database.functions))
    asked = read_query(" ".join(WORDS[:5]), now=NOON.date())

    def by_sql(tenant: str, query: Vectors) -> list[str]:
        with bare.transaction():
            bare.execute("SELECT set_config('membus.tenant_id', %s, true)", [tenant])
            return [row[0] for row in bare.execute(BARE, [tenant, _text(query)]).fetchall()]

    def by_both(tenant: str, query: Vectors) -> list[str]:
        named = {"tenant": tenant, "vector": _text(query), "words": " | ".join(asked.terms)}
        with bare.transaction():
            bare.execute("SELECT set_config('membus.tenant_id', %s, true)", [tenant])
            return [row[0] for row in bare.execute(BOTH, named).fetchall()]

    def by_meaning(tenant: str, query: Vectors) -> list[str]:
        found = index.search(Within(tenant_id=tenant, now=NOON, scope="U#u"), terms=(), vector=query.tolist())
        best = sorted(found.rows, key=lambda row: (-(row.similarity or 0.0), row.id))
        return [row.id for row in best[:K]]

    def hybrid(tenant: str, query: Vectors) -> list[str]:
        within = Within(tenant_id=tenant, now=NOON, scope="U#u")
        found = index.search(within, terms=asked.terms, vector=query.tolist())
        return [each.row.id for each in rank(asked, found.rows, found.scope, limit=K)]

    return {
        "bare SQL: vector, 10 ids": by_sql, "membus: vector, candidates": by_meaning,
        "bare SQL: vector and ts_rank, RRF, 10 texts": by_both, "membus: hybrid, ranked": hybrid,
    }  # fmt: skip


def _row(name: str, way: Way, asked: list[tuple[str, Vectors]], truths: list[set[str]]) -> tuple[str, ...]:
    for tenant, query in asked[:20]:
        way(tenant, query)
    hits, short, times = 0.0, 0, []
    for (tenant, query), truth in zip(asked, truths, strict=True):
        start = time.perf_counter()
        answer = way(tenant, query)
        times.append((time.perf_counter() - start) * 1000)
        hits += len(truth & set(answer)) / len(truth)
        short += len(answer) < len(truth)
    recall = (
        "-" if "hybrid" in name or "RRF" in name else f"{hits / len(asked):.3f}"
    )  # words count there too: another order is right
    return name, recall, str(short), *(f"{np.percentile(times, part):.2f}" for part in (50, 95, 99))


def _filled(server: Database, owners: Any, vectors: Vectors, chance: np.random.Generator) -> Database:
    database = empty_database(server)
    with database.open(database.owner) as connection:
        migrate(migrations_in(SQL), schema=PostgresSchema(connection), functions_login=database.functions)
    said = _said(owners)
    with database.open(database.superuser) as connection, connection.cursor() as cursor:
        with cursor.copy(MEMORIES) as copy:
            for row, (owner, (session, moment)) in enumerate(zip(owners, said, strict=True)):
                text = " ".join(chance.choice(WORDS, 20))
                copy.write_row(
                    (f"t{owner}", "U#u", f"m{row}", f"m{row}", 0, "episode", text, text, f"h{row}", text, 20, 20,
                     session, moment, 1)
                )  # fmt: skip
        with cursor.copy(VECTORS) as copy:
            for row, (owner, (session, moment)) in enumerate(zip(owners, said, strict=True)):
                copy.write_row(
                    (f"t{owner}", "bench", f"m{row}", "U#u", f"h{row}", _text(vectors[row]), "episode", session, moment)
                )
        connection.execute("VACUUM ANALYZE membus.memories, membus.vectors")
    return database


def _said(owners: Any) -> list[tuple[str, datetime]]:
    """Return session and moment of each row: a tenant says its texts in sessions of 25, a minute apart."""
    places: Counter[int] = Counter()
    said: list[tuple[str, datetime]] = []
    for owner in owners:
        session, minute = divmod(places[owner], MESSAGES)
        said.append((f"s{session}", FIRST + timedelta(hours=session, minutes=minute)))
        places[owner] += 1
    return said


def _truth(owners: Any, vectors: Vectors, owner: int, query: Vectors) -> set[str]:
    """Return the nearest rows of the tenant among what Postgres holds: vectors of half precision."""
    mine = np.flatnonzero(owners == owner)
    nearest = mine[np.argsort(-(_half(vectors[mine]) @ _half(query)))[:K]]
    return {f"m{row}" for row in nearest}


def _clustered(chance: np.random.Generator, rows: int) -> Vectors:
    """Return vectors that crowd around topics, as texts do."""
    topics = _unit(chance.standard_normal((TOPICS, DIMENSIONS)))
    return _unit(topics[chance.integers(TOPICS, size=rows)] + 0.8 * _unit(chance.standard_normal((rows, DIMENSIONS))))


def _unit(vectors: Any) -> Vectors:
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return units


def _half(vectors: Vectors) -> Vectors:
    return _unit(vectors.astype(np.float16).astype(np.float32))


def _text(vector: Vectors) -> str:
    return f"[{','.join(f'{value:.6f}' for value in vector)}]"
