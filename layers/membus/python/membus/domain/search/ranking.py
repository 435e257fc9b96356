"""The ranking of a search: every column of evidence for every gathered passage, weighed and brought to 0…1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from membus.domain.search.context import context_columns, vector_columns
from membus.domain.search.lexical import lexical_columns
from membus.domain.search.query import Query
from membus.domain.search.rows import Columns, Gathered, Row, Scope
from membus.domain.search.traits import trait_columns
from membus.domain.search.weights import MIDPOINT, WEIGHTS


@dataclass(frozen=True)
class Ranked:
    """`score` is the estimated chance that the passage is evidence; `parts` add up to its log odds."""

    row: Row
    score: float
    parts: dict[str, float]
    matched: tuple[str, ...]


def rank(query: Query, rows: Sequence[Row], scope: Scope, *, limit: int) -> list[Ranked]:
    """Return the best passage of each message, best first; a message's further passages would only repeat it."""
    if not rows:
        return []
    columns = evidence(query, Gathered(rows), scope)
    scores = weigh(columns)
    best: dict[str, int] = {}
    for index in sorted(range(len(rows)), key=lambda i: (-scores[i], rows[i].id)):
        best.setdefault(rows[index].group_id, index)
        if len(best) == limit:
            break
    return [_ranked(query, rows[i], scores[i], columns, i) for i in best.values()]


def evidence(query: Query, gathered: Gathered, scope: Scope) -> Columns:
    lexical = lexical_columns(query, gathered, scope)
    vector = vector_columns(gathered, scope)
    context = context_columns(gathered, lexical["words"], vector["meaning"])
    return lexical | vector | context | trait_columns(query, gathered)


def weigh(columns: Columns) -> list[float]:
    weighed = [[WEIGHTS[name] * value for value in column] for name, column in columns.items()]
    return [sum(parts) for parts in zip(*weighed, strict=True)]


def _ranked(query: Query, row: Row, score: float, columns: Columns, index: int) -> Ranked:
    parts = {name: WEIGHTS[name] * column[index] for name, column in columns.items() if column[index]}
    held = set(row.stems.split())
    matched = tuple(term for term in query.terms if term in held)
    return Ranked(row=row, score=1 / (1 + math.exp(MIDPOINT - score)), parts=parts, matched=matched)
