"""A search in two statements of one transaction: statistics with the candidates, then the passages themselves."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from psycopg import sql

from membus.adapters.postgres_filters import compile_filter
from membus.adapters.postgres_passages import literal
from membus.adapters.postgres_tenants import Connection
from membus.domain.memory import Source
from membus.domain.pages import Page
from membus.domain.retrieval import BESIDE, BESIDE_PARTS, About, Found, Within
from membus.domain.search.rows import Row, Scope
from membus.ports.embedder import Vector

CANDIDATES = 100
"""As many by meaning and as many by words; ranking reads no more than both together and what stands beside them."""
_VISIBLE = 11
_CANDIDATES = """
    WITH mine AS MATERIALIZED (
        SELECT m.id, m.length, m.terms, {distance} AS distance
        FROM membus.memories m {vectors}
        WHERE {visible}
    ), total AS (
        SELECT count(*) AS rows, coalesce(avg(length), 0)::float8 AS length,
            coalesce(avg(1 - distance), 0) AS mean, coalesce(stddev_pop(1 - distance), 0) AS deviation
        FROM mine
    ), hit AS MATERIALIZED (
        SELECT asked.place, worded.id, worded.length
        FROM (SELECT id, length, terms FROM mine WHERE terms @@ %(any)s::tsquery) AS worded
        JOIN unnest(%(queries)s::text[]) WITH ORDINALITY AS asked (query, place)
            ON worded.terms @@ asked.query::tsquery
    ), seen AS (
        SELECT place, count(*) AS times FROM hit GROUP BY place
    ), worded AS (
        SELECT hit.id FROM hit JOIN seen USING (place) CROSS JOIN total
        GROUP BY hit.id
        ORDER BY sum(
            ln(1 + (total.rows - seen.times + 0.5) / (seen.times + 0.5))
            / (0.25 + 0.75 * hit.length / greatest(total.length, 1))
        ) DESC, hit.id LIMIT %(candidates)s
    ), near AS (
        SELECT id FROM mine ORDER BY distance NULLS LAST, id LIMIT %(nearest)s
    )
    SELECT total.rows, total.length, total.mean, total.deviation, (SELECT array_agg(ARRAY[place, times]) FROM seen),
        (SELECT array_agg(id) FROM (SELECT id FROM near UNION SELECT id FROM worded) AS chosen)
    FROM total
"""
_PASSAGES = """
    WITH found AS (
        SELECT m.id, m.scope, m.session FROM membus.memories m
        WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s)
    ), placed AS (
        SELECT m.id, m.scope, m.session,
            m.part, dense_rank() OVER (
                PARTITION BY m.scope, m.session ORDER BY m.occurred_at, length(m.group_id), m.group_id
            ) AS position
        FROM membus.memories m JOIN (SELECT DISTINCT scope, session FROM found WHERE session <> '') AS sitting
            ON m.scope = sitting.scope AND m.session = sitting.session
        WHERE m.tenant_id = %(tenant)s AND (m.expires_at IS NULL OR m.expires_at > %(now)s)
    ), wanted AS (
        SELECT id, 0::bigint AS position FROM found WHERE session = ''
        UNION ALL
        SELECT placed.id, placed.position FROM placed WHERE id = ANY(%(ids)s) OR part < %(parts)s AND EXISTS (
            SELECT FROM placed AS hit WHERE hit.id = ANY(%(ids)s)
                AND hit.scope = placed.scope AND hit.session = placed.session
                AND hit.position BETWEEN placed.position - %(beside)s AND placed.position + %(beside)s
        )
    )
    SELECT m.id, m.group_id, CASE m.session WHEN '' THEN '' ELSE m.scope || ' ' || m.session END, wanted.position,
        m.part, m.speaker, m.occurred_at, m.text, m.stems, m.message_length, 1 - ({distance}),
        {visible}, m.kind, m.source::text, m.metadata::text
    FROM wanted JOIN membus.memories m USING (id) {vectors}
    WHERE m.tenant_id = %(tenant)s
"""
_DOCUMENTS = """
    SELECT m.group_id, m.occurred_at FROM membus.memories m WHERE {visible} AND m.part = 0
    ORDER BY m.occurred_at DESC, m.group_id DESC LIMIT %(limit)s
"""
_VECTORS = sql.SQL("LEFT JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id")


def search(
    connection: Connection, within: Within, *, model: str, terms: Sequence[str], vector: Vector | None
) -> Callable[[], Found]:
    """Return at most 200 candidates, and what was said to either side of each in its session."""
    parameters: dict[str, Any] = {
        "tenant": within.tenant_id, "now": within.now, "model": model, "candidates": CANDIDATES, "beside": BESIDE,
        "parts": BESIDE_PARTS,
        "nearest": 0 if vector is None else CANDIDATES, "queries": (queries := [_query(term) for term in terms]),
        "any": " | ".join(queries),
    }  # fmt: skip
    parts: dict[str, sql.Composable] = {"distance": sql.SQL("NULL::float8"), "vectors": sql.SQL("")}
    if vector is not None:
        parameters["vector"] = literal(vector)
        parts = {
            "distance": sql.SQL("v.embedding <=> %(vector)s::halfvec"),
            "vectors": _VECTORS,
        }
    parts["visible"] = _visible(within, parameters)
    candidates = connection.execute(sql.SQL(_CANDIDATES).format(**parts), parameters).fetchone()
    total, length, mean, deviation, seen, ids = candidates or (0, 0.0, 0.0, 0.0, None, None)
    times = dict(seen or ())
    scope = Scope(
        rows=total, average_length=length, similarity_mean=mean, similarity_deviation=deviation,
        frequencies={term: times.get(place, 0) for place, term in enumerate(terms, start=1)},
    )  # fmt: skip
    passages = connection.execute(sql.SQL(_PASSAGES).format(**parts), parameters | {"ids": ids or []})
    return lambda: _found(scope, passages.fetchall())


def documents(
    connection: Connection, within: Within, *, limit: int, after: dict[str, str] | None
) -> Callable[[], Page[str]]:
    """Return one page of the ids of documents, the newest first."""
    parameters: dict[str, Any] = {"tenant": within.tenant_id, "now": within.now, "limit": limit + 1}
    visible = _visible(within, parameters)
    if after:
        parameters |= after
        visible = sql.SQL("{} AND (m.occurred_at, m.group_id) < (%(at)s::timestamptz, %(id)s)").format(visible)
    asked = connection.execute(sql.SQL(_DOCUMENTS).format(visible=visible), parameters)
    return lambda: _page(asked.fetchall(), limit)


def _page(rows: Sequence[tuple[Any, ...]], limit: int) -> Page[str]:
    last = rows[limit - 1] if len(rows) > limit else None
    next_page = {"at": last[1].isoformat(), "id": last[0]} if last else None
    return Page(tuple(memory_id for memory_id, _ in rows[:limit]), next_page)


def _found(scope: Scope, passages: Sequence[tuple[Any, ...]]) -> Found:
    return Found(scope, tuple(_row(each) for each in passages), _Visible(passages))


class _Visible(Mapping[str, About]):
    """What the visible passages' memories say besides: read for the few that are shown, not for all that are ranked."""

    def __init__(self, passages: Sequence[tuple[Any, ...]]) -> None:
        self._passages = {each[0]: each for each in passages if each[_VISIBLE]}

    def __getitem__(self, row_id: str) -> About:
        _, memory_id, *_, kind, source, metadata = self._passages[row_id]
        return About(
            memory_id=memory_id, kind=kind, source=Source.model_validate_json(source), metadata=json.loads(metadata)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._passages)

    def __len__(self) -> int:
        return len(self._passages)


def _visible(within: Within, parameters: dict[str, Any]) -> sql.Composable:
    wanted = {
        "scope": ("m.scope = %(scope)s", within.scope),
        "agent": ("(m.agent_id = %(agent)s OR m.kind = 'fact')", within.agent_id),  # every agent knows the facts
        "session": ("m.session = %(session)s", within.session),
        "kinds": ("m.kind = ANY(%(kinds)s)", list(within.kinds) or None),
        "since": ("m.occurred_at >= %(since)s", within.since),
        "until": ("m.occurred_at <= %(until)s", within.until),
    }
    asked = {name: value for name, (_, value) in wanted.items() if value is not None}
    parameters |= asked
    conditions: list[sql.Composable] = [
        sql.SQL("m.tenant_id = %(tenant)s"), sql.SQL("(m.expires_at IS NULL OR m.expires_at > %(now)s)"),
        *(sql.SQL(wanted[name][0]) for name in asked),
    ]  # fmt: skip
    if within.filter:
        conditions.append(compile_filter(within.filter, parameters))
    return sql.SQL(" AND ").join(conditions)


def _query(term: str) -> str:
    """Return the term as a tsquery of exactly itself."""
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _row(columns: tuple[Any, ...]) -> Row:
    row_id, memory_id, session, position, part, speaker, occurred_at, text, stems, length, similarity, *_ = columns
    return Row(
        id=row_id, group_id=memory_id, session=session, position=position, part=part, speaker=speaker,
        occurred_at=occurred_at, text=text, stems=stems, message_length=length,
        similarity=similarity,
    )  # fmt: skip
