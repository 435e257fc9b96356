"""A question to the archive in SQL: who asks, over which days, and the table that answers it."""

from datetime import date, datetime

from membus.domain.identity import Id, Record

QUERY_COLUMNS = {
    "event_id": "VARCHAR",
    "user_id": "VARCHAR",
    "agent_id": "VARCHAR",
    "session_id": "VARCHAR",
    "type": "VARCHAR",
    "occurred_at": "TIMESTAMP",
    "payload": "JSON",
}
"""Of the one table `episodes`.

`occurred_at` is UTC, a `payload` above 32 KB lies elsewhere and is empty here.
"""


class ArchiveQuery(Record):
    """`user` None asks for the rows of all users of the tenant; `now` is what the statement takes for now.

    Rows of users in `without` are not there for it.
    """

    tenant: Id
    user: Id | None
    sql: str
    since: date | None = None
    until: date | None = None
    now: datetime
    without: tuple[Id, ...] = ()


class QueryResult(Record):
    """Rows as text, None for null; `complete` says whether these are all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    complete: bool
