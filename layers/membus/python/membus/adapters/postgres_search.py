"""A search in two statements of one transaction.

Statistics with the candidates, then the passages themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from membus.adapters.halfvec import HalfVector
from membus.adapters.postgres_filters import compile_filter
from membus.adapters.postgres_found import candidates_from_rows
from membus.adapters.postgres_search_statements import (
    StatementShape,
    filtered_statements,
    unfiltered_statements,
)
from membus.adapters.postgres_tenants import PostgresConnection
from membus.adapters.postgres_visible import covers_whole_scope, scope_parameters
from membus.domain.retrieval import NEIGHBOURS, SearchCandidates, SearchScope
from membus.domain.search.accompanied import select_for_neighbours
from membus.domain.search.rows import ScopeStatistics
from membus.ports.embedder import Vector

CANDIDATES = 100
"""As many by meaning and as many by words.

Ranking reads no more than both together and what stands beside them.
"""
SAMPLE = 500
"""So many vectors, drawn by their hash, tell how close vectors of the scope are as a rule."""
# An approximate index looks at so many, and goes on where expired rows leave fewer than were asked for.
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
    """Return at most 200 candidates, and what was said to either side of the best of them in its session."""
    parameters = scope_parameters(within)
    candidates, passages = _statements(within, parameters, dimensions=len(vector or ()), worded=bool(terms))
    queries = [_query(term) for term in terms]
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
    """Return the texts as a literal of text[].

    Hundreds at a time, and a tenth of what a list costs the client.
    """
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join([f'"{text}"' for text in escaped]) + "}"


def _query(term: str) -> str:
    """Return the term as a tsquery of exactly itself."""
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
