"""Ways to ask for a tenant's ten best: plain SQL as one would write it, and the search of membus."""

from collections.abc import Callable
from contextlib import ExitStack

from membus.adapters.postgres_memories import PostgresMemories
from membus.adapters.postgres_tenants import TenantTransactions
from membus.domain.retrieval import Within
from membus.domain.search.query import read_query
from membus.domain.search.ranking import rank
from tests.benchmarks.tenants.data import WORDS, K, Vectors, text_of
from tests.factories import NOON
from tests.integration.databases import Database

VECTOR = """
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
TENANT = "SELECT set_config('membus.tenant_id', %s, true)"
Way = Callable[[str, Vectors], list[str]]


def ways(database: Database, opened: ExitStack) -> dict[str, Way]:
    """Return the ways by name, each with a connection that is open as long as `opened`."""
    transactions = TenantTransactions(lambda: opened.enter_context(database.open(database.functions)))
    index = PostgresMemories(transactions, model="bench")
    bare = opened.enter_context(database.open(database.functions))
    asked = read_query(" ".join(WORDS[:5]), now=NOON.date())

    def vector_by_sql(tenant: str, query: Vectors) -> list[str]:
        with bare.transaction():
            bare.execute(TENANT, [tenant])
            return [row[0] for row in bare.execute(VECTOR, [tenant, text_of(query)]).fetchall()]

    def both_by_sql(tenant: str, query: Vectors) -> list[str]:
        named = {"tenant": tenant, "vector": text_of(query), "words": " | ".join(asked.terms)}
        with bare.transaction():
            bare.execute(TENANT, [tenant])
            return [row[0] for row in bare.execute(BOTH, named).fetchall()]

    def vector(tenant: str, query: Vectors) -> list[str]:
        found = index.search(Within(tenant_id=tenant, now=NOON, scope="U#u"), terms=(), vector=query.tolist())
        best = sorted(found.rows, key=lambda row: (-(row.similarity or 0.0), row.id))
        return [row.id for row in best[:K]]

    def hybrid(tenant: str, query: Vectors) -> list[str]:
        found = index.search(Within(tenant_id=tenant, now=NOON, scope="U#u"), terms=asked.terms, vector=query.tolist())
        return [each.row.id for each in rank(asked, found.rows, found.scope, limit=K)]

    return {
        "bare SQL: vector, 10 ids": vector_by_sql, "membus: vector": vector,
        "bare SQL: vector, ts_rank, RRF, 10 texts": both_by_sql, "membus: hybrid, ranked": hybrid,
    }  # fmt: skip
