"""A search in two statements of one transaction.

Statistics with the candidates, then the passages themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from membus.adapters.halfvec import HalfVector
from membus.adapters.postgres_filters import compile_filter
from membus.adapters.postgres_found import found
from membus.adapters.postgres_search_statements import Shape, filtered, unfiltered
from membus.adapters.postgres_tenants import Connection
from membus.adapters.postgres_visible import is_whole_scope, parameters_of
from membus.domain.retrieval import BESIDE, Found, Within
from membus.domain.search.accompanied import accompanied
from membus.domain.search.rows import Scope
from membus.ports.embedder import Vector

CANDIDATES = 100
"""As many by meaning and as many by words.

Ranking reads no more than both together and what stands beside them.
"""
SAMPLE = 500
"""So many vectors, drawn by their hash, tell how close vectors of the scope are as a rule."""
# An approximate index looks at so many, and goes on where expired rows leave fewer than were asked for.
_BROADLY = """
    SELECT set_config('hnsw.ef_search', '400', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)
"""
_NOTHING = (0, 0.0, 0.0, 0.0, None, None, None, None)


def search(
    connection: Connection, within: Within, *, model: str, terms: Sequence[str], vector: Vector | None
) -> Callable[[], Found]:
    """Return at most 200 candidates, and what was said to either side of the best of them in its session."""
    parameters = parameters_of(within)
    candidates, passages = _statements(within, parameters, dimensions=len(vector or ()), worded=bool(terms))
    queries = [_query(term) for term in terms]
    parameters |= {
        "model": model,
        "candidates": CANDIDATES,
        "sample": SAMPLE,
        "queries": queries,
        "any": " | ".join(queries),
        "beside": BESIDE,
    }
    if vector is not None:
        parameters["vector"] = HalfVector(vector)
        connection.execute(_BROADLY)
    *figures, near, worded, pending = connection.execute(candidates, parameters).fetchone() or _NOTHING
    scope, near, worded = _scope(figures, terms), near or {}, worded or {}
    parameters["ids"] = _array({**near, **worded})
    parameters["accompanied"] = _array(accompanied(near, worded, scope))
    rows = connection.execute(passages, parameters, binary=True)
    return lambda: found(scope, rows.fetchall(), pending=pending)


def _statements(
    within: Within, parameters: dict[str, Any], *, dimensions: int, worded: bool
) -> tuple[bytes, bytes]:
    shape = Shape(frozenset(parameters), is_whole_scope(within), dimensions, worded)
    return filtered(shape, compile_filter(within.filter, parameters)) if within.filter else unfiltered(shape)


def _scope(figures: Sequence[Any], terms: Sequence[str]) -> Scope:
    rows, length, mean, deviation, seen = figures
    times = dict(seen or ())
    return Scope(
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
