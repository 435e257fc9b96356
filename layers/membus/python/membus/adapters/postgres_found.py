"""What a search and a listing read from Postgres, as the domain knows it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from psycopg import sql

from membus.adapters.postgres_tenants import PostgresConnection
from membus.adapters.postgres_visible import scope_condition, scope_parameters
from membus.domain.memory import MemorySource
from membus.domain.pages import Page
from membus.domain.retrieval import NEIGHBOURS, PassageMetadata, SearchCandidates, SearchScope
from membus.domain.search.rows import PassageRow, ScopeStatistics

_GROUP, _SESSION, _MESSAGES, _VISIBLE = 1, 2, 3, 11
_LIST_DOCUMENTS = """
    SELECT m.group_id, m.occurred_at FROM membus.memories m WHERE {visible} AND m.part = 0
    ORDER BY m.occurred_at DESC, m.group_id DESC LIMIT %(limit)s
"""


def candidates_from_rows(
    scope: ScopeStatistics, passages: Sequence[tuple[Any, ...]], *, pending: int | None
) -> SearchCandidates:
    """Return what was found from columns in the order of a `Row`, then visible, kind, source and metadata.

    In the place of a row's position the first has all messages that were said one after the other, run by
    run.
    """
    places = _message_positions(passages)
    rows = tuple([_passage_row(places, each) for each in passages])
    return SearchCandidates(scope, rows, _VisibleMetadata(passages), pending)


def _passage_row(places: Mapping[str, int], columns: tuple[Any, ...]) -> PassageRow:
    return PassageRow._make(
        (*columns[:_MESSAGES], places[columns[_GROUP]], *columns[_MESSAGES + 1 : _VISIBLE])
    )


def _message_positions(passages: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    """Number the messages so that those said one after the other have numbers that follow, and no others come close.

    What stands alone has 0.
    """
    runs = passages[0][_MESSAGES] or () if passages else ()
    after = {one: other for messages in runs for one, other in pairwise(messages)}
    groups = {each[_GROUP]: bool(each[_SESSION]) for each in passages}
    places = dict.fromkeys(groups, 0)
    number = 0
    for first in groups.keys() - set(after.values()):
        message: str | None = first if groups[first] else None
        while message is not None:
            places[message] = number = number + 1
            message = after.get(message)
        number += NEIGHBOURS
    return places


class _VisibleMetadata(Mapping[str, PassageMetadata]):
    """What the visible passages' memories say besides.

    Read for the few that are shown, not for all that are ranked.
    """

    def __init__(self, passages: Sequence[tuple[Any, ...]]) -> None:
        self._passages = {each[0]: each for each in passages if each[_VISIBLE]}

    def __getitem__(self, row_id: str) -> PassageMetadata:
        _, memory_id, *_, kind, source, metadata = self._passages[row_id]
        return PassageMetadata(
            memory_id=memory_id,
            kind=kind,
            source=MemorySource.model_validate_json(source),
            metadata=json.loads(metadata),
        )

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._passages  # asked of every row: nothing is read for it

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
