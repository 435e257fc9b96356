"""A search in two statements of one transaction: statistics with the candidates, then their passages."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from psycopg import sql

from membus.aws.postgres import HalfVector, PostgresConnection
from membus.core.identity import MemorySource
from membus.core.pages import Page
from membus.llm.ports import Vector
from membus.search.postgres.conditions import (
    compile_filter,
    covers_whole_scope,
    scope_condition,
    scope_parameters,
)
from membus.search.postgres.statements import StatementShape, filtered_statements, unfiltered_statements
from membus.search.ranking import select_for_neighbours
from membus.search.retrieval import (
    NEIGHBOURS,
    PassageMetadata,
    PassageRow,
    ScopeStatistics,
    SearchCandidates,
    SearchScope,
)

_GROUP, _SESSION, _MESSAGES, _VISIBLE = 1, 2, 3, 11
_LIST_DOCUMENTS = """
    SELECT m.group_id, m.occurred_at FROM membus.memories m WHERE {visible} AND m.part = 0
    ORDER BY m.occurred_at DESC, m.group_id DESC LIMIT %(limit)s
"""


def candidates_from_rows(
    scope: ScopeStatistics, passages: Sequence[tuple[Any, ...]], *, pending: int | None
) -> SearchCandidates:
    """Return the candidates of rows.

    They have the columns of a `PassageRow`, then visible, kind, source, metadata and agent.
    In the place of its position the first row has all messages that follow each other, run by run.
    """
    positions = _message_positions(passages)
    rows = tuple(
        [
            PassageRow._make((*each[:_MESSAGES], positions[each[_GROUP]], *each[_MESSAGES + 1 : _VISIBLE]))
            for each in passages
        ]
    )
    return SearchCandidates(scope, rows, _VisibleMetadata(passages), pending)


def _message_positions(passages: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    """Number messages so that those that follow each other have numbers that do, and no others come close."""
    runs = passages[0][_MESSAGES] or () if passages else ()
    after = {one: other for messages in runs for one, other in pairwise(messages)}
    groups = {each[_GROUP]: bool(each[_SESSION]) for each in passages}
    positions = dict.fromkeys(groups, 0)
    number = 0
    for first in groups.keys() - set(after.values()):
        message: str | None = first if groups[first] else None
        while message is not None:
            positions[message] = number = number + 1
            message = after.get(message)
        number += NEIGHBOURS
    return positions


class _VisibleMetadata(Mapping[str, PassageMetadata]):
    """The metadata of visible passages, parsed for the few that are shown, not for all that are ranked."""

    def __init__(self, passages: Sequence[tuple[Any, ...]]) -> None:
        self._passages = {each[0]: each for each in passages if each[_VISIBLE]}

    def __getitem__(self, row_id: str) -> PassageMetadata:
        _, memory_id, *_, kind, source, metadata, agent_id = self._passages[row_id]
        return PassageMetadata(
            memory_id=memory_id,
            kind=kind,
            source=MemorySource.model_validate_json(source),
            metadata=json.loads(metadata),
            agent_id=agent_id,
        )

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._passages  # tested for every row, so nothing is parsed

    def __iter__(self) -> Iterator[str]:
        return iter(self._passages)

    def __len__(self) -> int:
        return len(self._passages)


def list_documents(
    connection: PostgresConnection, within: SearchScope, *, limit: int, after: dict[str, str] | None
) -> Callable[[], Page[str]]:
    """Return one page of the ids of documents, the newest first."""
    parameters = scope_parameters(within) | {"limit": limit + 1}
    seen = scope_condition(within, parameters, row="m")
    if after:
        parameters |= after
        seen = sql.SQL("{} AND (m.occurred_at, m.group_id) < (%(at)s::timestamptz, %(id)s)").format(seen)
    asked = connection.execute(sql.SQL(_LIST_DOCUMENTS).format(visible=seen), parameters)
    return lambda: _documents_page(asked.fetchall(), limit)


def _documents_page(rows: Sequence[tuple[Any, ...]], limit: int) -> Page[str]:
    last = rows[limit - 1] if len(rows) > limit else None
    next_page = {"at": last[1].isoformat(), "id": last[0]} if last else None
    return Page(tuple(memory_id for memory_id, _ in rows[:limit]), next_page)


CANDIDATES = 100
"""Candidates by meaning, and as many by words."""
SAMPLE = 500
"""Vectors, drawn by their hash, that give the mean and deviation of similarities in the scope."""
# How many vectors an approximate index visits; it goes on where expired rows leave too few.
_WIDE_INDEX_SCAN = """
    SELECT set_config('hnsw.ef_search', '400', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)
"""
_NO_FIGURES = (0, 0.0, 0.0, 0.0, None, None, None, None)


def search_passages(
    connection: PostgresConnection,
    within: SearchScope,
    *,
    model: str,
    terms: Sequence[str],
    vector: Vector | None,
) -> Callable[[], SearchCandidates]:
    """Return at most 200 candidates, and the neighbours of the best of them."""
    parameters = scope_parameters(within)
    candidates, passages = _statements(within, parameters, dimensions=len(vector or ()), worded=bool(terms))
    queries = [_quote_term(term) for term in terms]
    parameters |= {
        "model": model,
        "candidates": CANDIDATES,
        "sample": SAMPLE,
        "queries": queries,
        "any": " | ".join(queries),
        "beside": NEIGHBOURS,
    }
    if vector is not None:
        parameters["vector"] = HalfVector(vector)
        connection.execute(_WIDE_INDEX_SCAN)
    *figures, near, worded, pending = connection.execute(candidates, parameters).fetchone() or _NO_FIGURES
    scope, near, worded = _scope_statistics(figures, terms), near or {}, worded or {}
    parameters["ids"] = _array({**near, **worded})
    parameters["accompanied"] = _array(select_for_neighbours(near, worded, scope))
    rows = connection.execute(passages, parameters, binary=True)
    return lambda: candidates_from_rows(scope, rows.fetchall(), pending=pending)


def _statements(
    within: SearchScope, parameters: dict[str, Any], *, dimensions: int, worded: bool
) -> tuple[bytes, bytes]:
    shape = StatementShape(frozenset(parameters), covers_whole_scope(within), dimensions, worded)
    return (
        filtered_statements(shape, compile_filter(within.filter, parameters))
        if within.filter
        else unfiltered_statements(shape)
    )


def _scope_statistics(figures: Sequence[Any], terms: Sequence[str]) -> ScopeStatistics:
    rows, length, mean, deviation, seen = figures
    times = dict(seen or ())
    return ScopeStatistics(
        rows=rows,
        average_length=length,
        similarity_mean=mean,
        similarity_deviation=deviation,
        frequencies={term: times.get(place, 0) for place, term in enumerate(terms, start=1)},
    )


def _array(texts: Iterable[str]) -> str:
    """Return the texts as a literal of text[], at a tenth of the client's time for a list of hundreds."""
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join([f'"{text}"' for text in escaped]) + "}"


def _quote_term(term: str) -> str:
    """Return the term as a tsquery of exactly itself."""
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
