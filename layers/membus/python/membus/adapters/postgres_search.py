"""A search in two statements of one transaction: statistics with the candidates, then the passages themselves."""

from collections.abc import Callable, Sequence
from typing import Any

from psycopg import sql

from membus.adapters.halfvec import HalfVector
from membus.adapters.postgres_found import found
from membus.adapters.postgres_tenants import Connection
from membus.adapters.postgres_visible import LIVE, is_whole_scope, parameters_of, visible
from membus.domain.retrieval import BESIDE, BESIDE_PARTS, EARLIER, Found, Within
from membus.domain.search.accompanied import accompanied
from membus.domain.search.rows import Scope
from membus.ports.embedder import Vector

CANDIDATES = 100
"""As many by meaning and as many by words; ranking reads no more than both together and what stands beside them."""
SAMPLE = 500
"""So many vectors, drawn by their hash, tell how close vectors of the scope are as a rule."""
# An approximate index looks at so many, and goes on where expired rows leave fewer than were asked for.
_BROADLY = """
    SELECT set_config('hnsw.ef_search', '400', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)
"""
_CANDIDATES = """
    WITH near AS ({near}), sample AS ({sample}), {words}
    SELECT total.rows, total.length, sample.mean, sample.deviation,
        (SELECT array_agg(ARRAY[place, times]) FROM seen),
        (SELECT json_object_agg(id, 1 - distance) FROM near), (SELECT json_object_agg(id, worth) FROM worded), {pending}
    FROM total CROSS JOIN sample
"""
# An approximate index of just this scope serves the order, if there is one; it has to see the cast it was made with.
_NEAR = """
    SELECT v.id, {distance} AS distance FROM membus.vectors v {metadata} WHERE v.model = %(model)s AND {visible}
    ORDER BY {distance} LIMIT %(candidates)s
"""
_SAMPLE = """
    SELECT coalesce(avg(1 - distance), 0) AS mean, coalesce(stddev_pop(1 - distance), 0) AS deviation FROM (
        SELECT v.embedding <=> %(vector)s::halfvec AS distance FROM membus.vectors v {metadata}
        WHERE v.model = %(model)s AND {visible}
        ORDER BY v.content_hash LIMIT %(sample)s
    ) AS drawn
"""
# Kept by triggers: the texts of a scope, as those of the model '', less those that have their vector.
_PENDING = """
    (SELECT greatest(0, sum(CASE s.model WHEN '' THEN s.rows ELSE -s.rows END)) FROM membus.scopes s
    WHERE s.tenant_id = %(tenant)s AND s.scope = %(scope)s AND s.model IN ('', %(model)s))::bigint
"""
_METADATA = "JOIN membus.memories m ON m.tenant_id = v.tenant_id AND m.id = v.id"
_NO_NEAR, _NO_SAMPLE = (
    "SELECT NULL AS id, 0 AS distance WHERE false",
    "SELECT 0::float8 AS mean, 0::float8 AS deviation",
)
_WORDS = """
    mine AS MATERIALIZED (
        SELECT m.id, m.length, CASE WHEN m.terms @@ %(any)s::tsquery THEN m.terms END AS terms
        FROM membus.memories m WHERE {visible}
    ), total AS (
        SELECT count(*) AS rows, coalesce(avg(length), 0)::float8 AS length FROM mine
    ), said AS MATERIALIZED (
        SELECT id, length, terms FROM mine WHERE terms IS NOT NULL
    ), hit AS MATERIALIZED (
        SELECT asked.place, said.id, said.length FROM said
        JOIN unnest(%(queries)s::text[]) WITH ORDINALITY AS asked (query, place) ON said.terms @@ asked.query::tsquery
    ), seen AS (
        SELECT place, count(*) AS times FROM hit GROUP BY place
    ), worded AS (
        SELECT hit.id, sum(
            ln(1 + (total.rows - seen.times + 0.5)::float8 / (seen.times + 0.5)::float8)
            / (0.25 + 0.75 * hit.length / greatest(total.length, 1))
        ) AS worth
        FROM hit JOIN seen USING (place) CROSS JOIN total GROUP BY hit.id
        ORDER BY worth DESC, hit.id LIMIT %(candidates)s
    )
"""
_NO_WORDS = """
    total AS (SELECT 0::bigint AS rows, 0::float8 AS length),
    seen AS (SELECT 0 AS place, 0 AS times WHERE false), worded AS (SELECT NULL AS id, 0 AS worth WHERE false)
"""
# A message is where its first passage is: two look-ups in the order of its session find those beside it. Row security
# lets an index use the moments alone, not the comparison of whole rows; hence both.
_PASSAGES = """
    WITH hit AS MATERIALIZED (
        SELECT DISTINCT m.scope, m.session, m.occurred_at, m.group_id FROM membus.memories m
        WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(accompanied)s) AND m.session <> ''
    ), run AS MATERIALIZED (
        SELECT hit.group_id, array_agg(
            near.group_id ORDER BY near.occurred_at, length(near.group_id), near.group_id
        ) AS messages
        FROM hit CROSS JOIN LATERAL (
            (SELECT m.occurred_at, m.group_id FROM membus.memories m
            WHERE m.tenant_id = %(tenant)s AND m.scope = hit.scope AND m.session = hit.session AND m.part = 0
                AND m.occurred_at <= hit.occurred_at AND (m.occurred_at, length(m.group_id), m.group_id)
                    <= (hit.occurred_at, length(hit.group_id), hit.group_id) AND {live}
            ORDER BY m.occurred_at DESC, length(m.group_id) DESC, m.group_id DESC LIMIT %(beside)s + 1)
            UNION ALL
            (SELECT m.occurred_at, m.group_id FROM membus.memories m
            WHERE m.tenant_id = %(tenant)s AND m.scope = hit.scope AND m.session = hit.session AND m.part = 0
                AND m.occurred_at >= hit.occurred_at AND (m.occurred_at, length(m.group_id), m.group_id)
                    > (hit.occurred_at, length(hit.group_id), hit.group_id) AND {live}
            ORDER BY m.occurred_at, length(m.group_id), m.group_id LIMIT %(beside)s)
        ) AS near GROUP BY hit.group_id
    ), wanted AS (
        SELECT unnest(%(ids)s::text[]) AS id
        UNION
        SELECT m.id FROM (SELECT DISTINCT unnest(messages) AS group_id FROM run) AS beside
        JOIN membus.memories m
            ON m.tenant_id = %(tenant)s AND m.group_id = beside.group_id AND m.part < %(parts)s AND {live}
    )
    SELECT m.id, m.group_id, CASE m.session WHEN '' THEN '' ELSE m.scope || ' ' || m.session END, run.messages,
        CASE WHEN m.valid_until IS NULL THEN m.part ELSE m.part %% {earlier} END, m.speaker, m.occurred_at, m.text,
        m.stems, m.message_length, {similarity}, {visible}, m.kind, m.source::text, m.metadata::text
    FROM wanted JOIN membus.memories m ON m.tenant_id = %(tenant)s AND m.id = wanted.id
    LEFT JOIN run ON run.group_id = m.group_id {vectors}
"""
_VECTORS = "LEFT JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id"
_SIMILARITY, _NO_SIMILARITY = "1 - (v.embedding <=> %(vector)s::halfvec)", "NULL::float8"


def search(
    connection: Connection, within: Within, *, model: str, terms: Sequence[str], vector: Vector | None
) -> Callable[[], Found]:
    """Return at most 200 candidates, and what was said to either side of each in its session."""
    queries = [_query(term) for term in terms]
    parameters = parameters_of(within) | {
        "model": model, "candidates": CANDIDATES, "sample": SAMPLE,
        "queries": queries, "any": " | ".join(queries),
    }  # fmt: skip
    if vector is not None:
        parameters["vector"] = HalfVector(vector)
        connection.execute(_BROADLY)
    statement = _candidates(within, parameters, dimensions=len(vector or ()), worded=bool(terms))
    figures = connection.execute(statement, parameters).fetchone()
    total, length, mean, deviation, seen, near, worded, pending = figures or (0, 0.0, 0.0, 0.0, None, None, None, None)
    times, near, worded = dict(seen or ()), near or {}, worded or {}
    scope = Scope(
        rows=total, average_length=length, similarity_mean=mean, similarity_deviation=deviation,
        frequencies={term: times.get(place, 0) for place, term in enumerate(terms, start=1)},
    )  # fmt: skip
    passages = sql.SQL(_PASSAGES).format(
        visible=visible(within, parameters, row="m"),
        earlier=sql.Literal(EARLIER),
        similarity=sql.SQL(_SIMILARITY if vector is not None else _NO_SIMILARITY),
        vectors=sql.SQL(_VECTORS if vector is not None else ""),
        live=sql.SQL(LIVE).format(row=sql.SQL("m")),
    )
    parameters |= {
        "ids": list({**near, **worded}), "accompanied": accompanied(near, worded, scope),
        "beside": BESIDE, "parts": BESIDE_PARTS,
    }  # fmt: skip
    rows = connection.execute(passages, parameters, binary=True)
    return lambda: found(scope, rows.fetchall(), pending=pending)


def _candidates(within: Within, parameters: dict[str, Any], *, dimensions: int, worded: bool) -> sql.Composed:
    parts: dict[str, sql.Composable] = {"near": sql.SQL(_NO_NEAR), "sample": sql.SQL(_NO_SAMPLE)}
    if dimensions:
        beside: dict[str, sql.Composable] = {
            "visible": visible(within, parameters, row="v"), "metadata": sql.SQL(_METADATA if within.filter else ""),
        }  # fmt: skip
        near = sql.SQL(_NEAR).format(distance=_distance(within, dimensions), **beside)
        parts = {"near": near, "sample": sql.SQL(_SAMPLE).format(**beside)}
    words = sql.SQL(_WORDS).format(visible=visible(within, parameters, row="m")) if worded else sql.SQL(_NO_WORDS)
    # Over all scopes of a tenant it would be a sum over all its users.
    pending = sql.SQL(_PENDING if within.scope is not None else "NULL")
    return sql.SQL(_CANDIDATES).format(words=words, pending=pending, **parts)


def _distance(within: Within, dimensions: int) -> sql.Composable:
    """Return the order that an approximate index may serve, or one that none can: filters make its answers short."""
    if is_whole_scope(within):
        return sql.SQL("v.embedding::halfvec({}) <=> %(vector)s::halfvec").format(sql.Literal(dimensions))
    return sql.SQL("(v.embedding <=> %(vector)s::halfvec) + 0")


def _query(term: str) -> str:
    """Return the term as a tsquery of exactly itself."""
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
