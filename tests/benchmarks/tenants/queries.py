"""Queries for the ten best rows of a tenant: plain SQL, and the search of membus."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import LiteralString

from membus.aws.postgres import HalfVector, TenantTransactions
from membus.search.postgres.store import PostgresMemories
from membus.search.query import parse_query
from membus.search.ranking import rank_passages
from membus.search.retrieval import SearchScope
from tests.benchmarks.tenants.data import WORDS, K, Vectors
from tests.factories import NOON
from tests.integration.databases import Database

VECTOR = """
    SELECT v.id FROM membus.vectors v
    WHERE v.tenant_id = %(tenant)s AND v.model = 'bench' AND v.scope = 'U#u' AND v.valid_until IS NULL
        AND (v.expires_at IS NULL OR v.expires_at > %(now)s)
    ORDER BY (v.embedding <=> %(vector)s::halfvec) + 0 LIMIT {limit}
"""
RANKED = """
    SELECT m.id FROM membus.memories m
    WHERE m.tenant_id = %(tenant)s AND m.scope = 'U#u' AND m.terms @@ %(words)s::tsquery
        AND m.valid_until IS NULL AND (m.expires_at IS NULL OR m.expires_at > %(now)s)
    ORDER BY ts_rank(m.terms, %(words)s::tsquery) DESC LIMIT 100
"""
WEIGHED = """
    SELECT id FROM (
        SELECT mine.id, mine.length, asked.term, count(*) OVER (PARTITION BY asked.term) AS times
        FROM mine JOIN unnest(%(terms)s::text[]) AS asked (term) ON mine.terms @@ asked.term::tsquery
        WHERE mine.terms IS NOT NULL
    ) AS hit CROSS JOIN (SELECT count(*) AS rows, avg(length)::float8 AS length FROM mine) AS total
    GROUP BY id, hit.length, total.length ORDER BY sum(
        ln(1 + (total.rows - times + 0.5)::float8 / (times + 0.5)::float8)
    ) / (0.25 + 0.75 * hit.length / greatest(total.length, 1)) DESC LIMIT 100
"""
MINE = """
    mine AS MATERIALIZED (
        SELECT m.id, m.length, CASE WHEN m.terms @@ %(words)s::tsquery THEN m.terms END AS terms
        FROM membus.memories m
        WHERE m.tenant_id = %(tenant)s AND m.scope = 'U#u' AND m.valid_until IS NULL
            AND (m.expires_at IS NULL OR m.expires_at > %(now)s)
    ),
"""
FUSED = """
    WITH {scope} near AS (SELECT id, row_number() OVER () AS place FROM ({near}) AS v),
    said AS (SELECT id, row_number() OVER () AS place FROM ({said}) AS m)
    SELECT m.id, m.text FROM (
        SELECT id, sum(1.0 / (60 + place)) AS score FROM (TABLE near UNION ALL TABLE said) AS either
        GROUP BY id ORDER BY score DESC LIMIT 10
    ) AS best JOIN membus.memories m USING (id) WHERE m.tenant_id = %(tenant)s ORDER BY best.score DESC
"""
NEAR = VECTOR.format(limit=100)
PLAIN_SQL: dict[str, LiteralString] = {
    "bare SQL: vector, 10 ids": VECTOR.format(limit=10),
    "bare SQL: vector, ts_rank, 10 texts": FUSED.format(scope="", near=NEAR, said=RANKED),
    "bare SQL: vector, words by rarity, 10 texts": FUSED.format(scope=MINE, near=NEAR, said=WEIGHED),
}
COMPARED_WITH = {
    "membus: vector": "bare SQL: vector, 10 ids",
    "membus: hybrid, ranked": "bare SQL: vector, words by rarity, 10 texts",
}
"""The plain query that a search is compared with: the same arms and filters, and as many texts."""
TENANT = "SELECT set_config('membus.tenant_id', %s, true)"
SearchQuery = Callable[[str, Vectors], list[str]]


def make_queries(database: Database, opened: ExitStack) -> dict[str, SearchQuery]:
    """Return the queries by name, on connections that are open as long as `opened`."""
    transactions = TenantTransactions(lambda: opened.enter_context(database.open(database.functions)))
    index = PostgresMemories(transactions, model="bench")
    bare = opened.enter_context(database.open(database.functions))
    words = parse_query(" ".join(WORDS[:5]), now=NOON.date())

    def by_sql(statement: LiteralString, tenant: str, query: Vectors) -> list[str]:
        named = {
            "tenant": tenant,
            "vector": HalfVector(query.tolist()),
            "now": NOON,
            "words": " | ".join(words.terms),
            "terms": list(words.terms),
        }
        with bare.pipeline(), bare.transaction():
            bare.execute(TENANT, [tenant])
            return [row[0] for row in bare.execute(statement, named).fetchall()]

    def vector(tenant: str, query: Vectors) -> list[str]:
        found = index.search(
            SearchScope(tenant_id=tenant, now=NOON, scope="U#u"), terms=(), vector=query.tolist()
        )
        best = sorted(found.rows, key=lambda row: (-(row.similarity or 0.0), row.id))
        return [row.id for row in best[:K]]

    def hybrid(tenant: str, query: Vectors) -> list[str]:
        found = index.search(
            SearchScope(tenant_id=tenant, now=NOON, scope="U#u"), terms=words.terms, vector=query.tolist()
        )
        return [each.row.id for each in rank_passages(words, found.rows, found.scope, limit=K)]

    return {name: partial(by_sql, statement) for name, statement in PLAIN_SQL.items()} | {
        "membus: vector": vector,
        "membus: hybrid, ranked": hybrid,
    }
