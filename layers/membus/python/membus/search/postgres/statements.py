"""The SQL of the search index; every statement names the tenant, and row security checks it again.

A search is two statements: statistics with the candidates, then the passages themselves.
"""

from functools import lru_cache
from typing import NamedTuple

from psycopg import sql

from membus.search.postgres.conditions import NOT_EXPIRED, condition_from_names
from membus.search.retrieval import EARLIER_PART_OFFSET

_CANDIDATES = """
    WITH near AS ({near}), sample AS ({sample}), {words}
    SELECT total.rows, total.length, sample.mean, sample.deviation,
        (SELECT array_agg(ARRAY[place, times]) FROM seen),
        (SELECT json_object_agg(id, 1 - distance) FROM near), (SELECT json_object_agg(id, worth) FROM worded), {pending}
    FROM total CROSS JOIN sample
"""
# An approximate index of just this scope serves the order, if there is one; it needs its own cast.
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
# Triggers count the texts of a scope, as those of the model '', and the vectors of each model.
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
# Two look-ups in the order of a session find the neighbours of a message, by their first passages. Under row
# security an index serves the comparison of moments alone, not that of whole rows; hence both.
_PASSAGES = """
    WITH hit AS MATERIALIZED (
        SELECT DISTINCT m.scope, m.session, m.occurred_at, m.group_id FROM membus.memories m
        WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(accompanied)s::text[]) AND m.session <> ''
    ), run AS MATERIALIZED (
        SELECT array_agg(near.id) AS ids, array_agg(
            near.group_id ORDER BY near.occurred_at, length(near.group_id), near.group_id
        ) AS messages
        FROM hit CROSS JOIN LATERAL (
            (SELECT m.id, m.occurred_at, m.group_id FROM membus.memories m
            WHERE m.tenant_id = %(tenant)s AND m.scope = hit.scope AND m.session = hit.session AND m.part = 0
                AND m.occurred_at <= hit.occurred_at AND (m.occurred_at, length(m.group_id), m.group_id)
                    <= (hit.occurred_at, length(hit.group_id), hit.group_id) AND {live}
            ORDER BY m.occurred_at DESC, length(m.group_id) DESC, m.group_id DESC LIMIT %(beside)s + 1)
            UNION ALL
            (SELECT m.id, m.occurred_at, m.group_id FROM membus.memories m
            WHERE m.tenant_id = %(tenant)s AND m.scope = hit.scope AND m.session = hit.session AND m.part = 0
                AND m.occurred_at >= hit.occurred_at AND (m.occurred_at, length(m.group_id), m.group_id)
                    > (hit.occurred_at, length(hit.group_id), hit.group_id) AND {live}
            ORDER BY m.occurred_at, length(m.group_id), m.group_id LIMIT %(beside)s)
        ) AS near GROUP BY hit.group_id
    ), wanted AS (
        SELECT unnest(%(ids)s::text[]) AS id UNION SELECT unnest(ids) FROM run
    )
    SELECT m.id, m.group_id, CASE m.session WHEN '' THEN '' ELSE m.scope || ' ' || m.session END,
        CASE row_number() OVER () WHEN 1 THEN (SELECT json_agg(messages) FROM run) END,
        CASE WHEN m.valid_until IS NULL THEN m.part ELSE m.part %% {earlier} END, m.speaker, m.occurred_at, m.text,
        m.stems, m.message_length, {similarity}, {visible}, m.kind, m.source::text, m.metadata::text,
        m.agent_id
    FROM wanted JOIN membus.memories m ON m.tenant_id = %(tenant)s AND m.id = wanted.id {vectors}
"""
_VECTORS = "LEFT JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id"
_SIMILARITY, _NO_SIMILARITY = "1 - (v.embedding <=> %(vector)s::halfvec)", "NULL::float8"


class StatementShape(NamedTuple):
    """What the text of a statement depends on, besides a filter."""

    narrowing: frozenset[str]
    whole_scope: bool
    dimensions: int
    worded: bool


def filtered_statements(shape: StatementShape, wanted: sql.Composable) -> tuple[bytes, bytes]:
    """Return the candidates' statement and the passages', both with a compiled filter."""
    return _candidates(shape, wanted).as_bytes(), _passages(shape, wanted).as_bytes()


@lru_cache(maxsize=256)
def unfiltered_statements(shape: StatementShape) -> tuple[bytes, bytes]:
    """Return the same without a filter; cached, because composing them takes long."""
    return _candidates(shape, None).as_bytes(), _passages(shape, None).as_bytes()


def _candidates(shape: StatementShape, wanted: sql.Composable | None) -> sql.Composed:
    parts: dict[str, sql.Composable] = {"near": sql.SQL(_NO_NEAR), "sample": sql.SQL(_NO_SAMPLE)}
    if shape.dimensions:
        beside: dict[str, sql.Composable] = {
            "visible": condition_from_names(shape.narrowing, wanted, row="v"),
            "metadata": sql.SQL(_METADATA if wanted else ""),
        }
        near = sql.SQL(_NEAR).format(distance=_distance(shape), **beside)
        parts = {"near": near, "sample": sql.SQL(_SAMPLE).format(**beside)}
    visible = condition_from_names(shape.narrowing, wanted, row="m")
    words = sql.SQL(_WORDS).format(visible=visible) if shape.worded else sql.SQL(_NO_WORDS)
    # Without a scope it would be a sum over all users of the tenant.
    pending = sql.SQL(_PENDING if "scope" in shape.narrowing else "NULL")
    return sql.SQL(_CANDIDATES).format(words=words, pending=pending, **parts)


def _passages(shape: StatementShape, wanted: sql.Composable | None) -> sql.Composed:
    return sql.SQL(_PASSAGES).format(
        visible=condition_from_names(shape.narrowing, wanted, row="m"),
        earlier=sql.Literal(EARLIER_PART_OFFSET),
        similarity=sql.SQL(_SIMILARITY if shape.dimensions else _NO_SIMILARITY),
        vectors=sql.SQL(_VECTORS if shape.dimensions else ""),
        live=sql.SQL(NOT_EXPIRED).format(row=sql.SQL("m")),
    )


def _distance(shape: StatementShape) -> sql.Composable:
    """Return the order that an approximate index may serve; with filters, which shorten it, none can."""
    if shape.whole_scope:
        return sql.SQL("v.embedding::halfvec({}) <=> %(vector)s::halfvec").format(
            sql.Literal(shape.dimensions)
        )
    return sql.SQL("(v.embedding <=> %(vector)s::halfvec) + 0")


LOCK_MEMORIES = """
    SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
    FROM (SELECT DISTINCT %(tenant)s || '#' || id AS key FROM unnest(%(memories)s::text[]) AS id ORDER BY key) AS keys
"""
KNOWN_VERSIONS = """
    SELECT group_id, max(version) FROM (
        SELECT group_id, version FROM membus.memories WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s)
        UNION ALL
        SELECT group_id, version + 1 FROM membus.removals WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s)
    ) AS seen GROUP BY group_id
"""
DELETE_PARTS = """
    DELETE FROM membus.memories
    WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s) AND NOT id = ANY(%(ids)s)
"""
PUT_PASSAGES = """
    INSERT INTO membus.memories (
        tenant_id, scope, id, group_id, part, kind, text, embedded_text, content_hash, stems, length, message_length,
        agent_id, session, speaker, metadata, source, occurred_at, valid_until, expires_at,
        version
    ) VALUES (
        %(tenant)s, %(scope)s, %(id)s, %(memory)s, %(part)s, %(kind)s, %(text)s, %(embedded_text)s,
        %(hash)s, %(stems)s, %(length)s, %(message_length)s, %(agent)s, %(session)s, %(speaker)s,
        %(metadata)s, %(source)s, %(occurred_at)s, %(valid_until)s, %(expires_at)s, %(version)s
    ) ON CONFLICT (tenant_id, id) DO UPDATE SET
        scope = excluded.scope, kind = excluded.kind, text = excluded.text,
        embedded_text = excluded.embedded_text, content_hash = excluded.content_hash, stems = excluded.stems,
        length = excluded.length, message_length = excluded.message_length,
        agent_id = excluded.agent_id, session = excluded.session,
        speaker = excluded.speaker, metadata = excluded.metadata, source = excluded.source,
        occurred_at = excluded.occurred_at, valid_until = excluded.valid_until,
        expires_at = excluded.expires_at, version = excluded.version,
        updated_at = now()
"""
# A vector is reused before the row that it belongs to gets other words and loses it.
REUSE_VECTORS = """
    INSERT INTO membus.vectors AS mine (
        tenant_id, model, id, scope, content_hash, embedding, kind, agent_id, session, occurred_at, expires_at,
        valid_until
    )
    SELECT m.tenant_id, %(model)s, m.id, m.scope, m.content_hash, known.embedding, m.kind, m.agent_id, m.session,
        m.occurred_at, m.expires_at, m.valid_until
    FROM membus.memories m CROSS JOIN LATERAL (
        SELECT v.embedding FROM membus.vectors v
        WHERE v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.content_hash = m.content_hash LIMIT 1
    ) AS known
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s)
    ON CONFLICT (tenant_id, model, id) DO UPDATE
        SET content_hash = excluded.content_hash, embedding = excluded.embedding
        WHERE mine.content_hash <> excluded.content_hash AND mine.scope = excluded.scope
"""
DELETE_OUTDATED_VECTORS = """
    DELETE FROM membus.vectors v USING membus.memories m
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s) AND v.tenant_id = m.tenant_id AND v.id = m.id
        AND (v.content_hash <> m.content_hash OR v.scope <> m.scope)
"""
UPDATE_VECTOR_METADATA = """
    UPDATE membus.vectors v
    SET kind = m.kind, agent_id = m.agent_id, session = m.session, occurred_at = m.occurred_at,
        expires_at = m.expires_at, valid_until = m.valid_until
    FROM membus.memories m
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s) AND v.tenant_id = m.tenant_id AND v.id = m.id
        AND (v.kind, v.agent_id, v.session, v.occurred_at, v.expires_at, v.valid_until)
            IS DISTINCT FROM (m.kind, m.agent_id, m.session, m.occurred_at, m.expires_at, m.valid_until)
"""
ATTACH_VECTORS = """
    INSERT INTO membus.vectors (
        tenant_id, model, id, scope, content_hash, embedding, kind, agent_id, session, occurred_at, expires_at,
        valid_until
    )
    SELECT m.tenant_id, %(model)s, m.id, m.scope, m.content_hash, %(vector)s::halfvec, m.kind, m.agent_id, m.session,
        m.occurred_at, m.expires_at, m.valid_until
    FROM membus.memories m WHERE m.tenant_id = %(tenant)s AND m.content_hash = %(hash)s
    ON CONFLICT DO NOTHING
"""
WITHOUT_VECTOR = """
    FROM membus.memories m
    LEFT JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id
    WHERE m.tenant_id = %(tenant)s AND v.id IS NULL
"""
RECORD_REMOVAL = """
    INSERT INTO membus.removals (tenant_id, group_id, version) VALUES (%(tenant)s, %(memory)s, %(version)s)
    ON CONFLICT (tenant_id, group_id) DO UPDATE
        SET version = greatest(removals.version, excluded.version), removed_at = now()
"""
DELETE_REMOVAL = """
    DELETE FROM membus.removals WHERE tenant_id = %(tenant)s AND group_id = %(memory)s AND version <= %(version)s
"""
DELETE_MEMORY = "DELETE FROM membus.memories WHERE tenant_id = %(tenant)s AND group_id = %(memory)s AND version <= %(version)s"
DELETE_EXPIRED_REMOVALS = """
    DELETE FROM membus.removals WHERE tenant_id = %(tenant)s AND removed_at < now() - interval '3 days'
"""  # a stream keeps a change for a day
SIMILAR_DOCUMENTS = """
    SELECT m.group_id FROM unnest(%(vectors)s::text[]) WITH ORDINALITY AS wanted (vector, place)
    JOIN membus.memories m ON m.part = wanted.place - 1
    JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id
    WHERE m.tenant_id = %(tenant)s AND m.scope = %(scope)s AND m.kind = 'document'
        AND (m.expires_at IS NULL OR m.expires_at > %(now)s)
        AND NOT EXISTS (
            SELECT FROM membus.memories more
            WHERE more.tenant_id = m.tenant_id AND more.group_id = m.group_id AND more.part = %(parts)s
        )
    GROUP BY m.group_id
    HAVING count(*) = %(parts)s AND max(v.embedding <=> wanted.vector::halfvec) <= %(distance)s
    ORDER BY max(v.embedding <=> wanted.vector::halfvec), m.group_id
"""
KNOWN_VECTORS = """
    SELECT DISTINCT ON (v.content_hash) v.content_hash, v.embedding::text FROM membus.vectors v
    WHERE v.tenant_id = %(tenant)s AND v.model = %(model)s AND v.content_hash = ANY(%(hashes)s)
"""
PASSAGE_TEXTS = """
    SELECT group_id, text FROM membus.memories
    WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s) ORDER BY group_id, part
"""
