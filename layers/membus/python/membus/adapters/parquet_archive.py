"""A stranger's SQL over the archive.

Admitted by the gate, over a copy of what it may see, run in the cage.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from membus.adapters.duckdb_parquet import RowSpan
from membus.adapters.s3_cold_objects import S3ArchiveObjects
from membus.adapters.sql_cage import SandboxLimits, run_sandboxed
from membus.adapters.sql_gate import validate_sql
from membus.domain.archive_query import ArchiveQuery, QueryResult
from membus.domain.cold import ArchiveObject
from membus.domain.episode import mark_before
from membus.domain.event import EARLIEST, LATEST
from membus.errors import CorruptArchiveError, InvalidError
from membus.ports.cold import ArchiveCatalog

QUERY_OBJECTS_MAX = 60
QUERY_BYTES_MAX = 64 * 2**20
"""Of all objects in Parquet: what a function fetches in about two seconds."""
COPY_BYTES_MAX = 16 * 2**20
"""Of the rows that are copied for the question, in Parquet.

In the engine's memory they take several times that.
"""
LIMITS = SandboxLimits()
QUERY_ATTEMPTS = 3


class DuckDbArchiveQueries:
    """`objects` is a function: a process whose question the gate refuses never opens an object."""

    def __init__(
        self, catalog: ArchiveCatalog, objects: Callable[[], S3ArchiveObjects], limits: SandboxLimits = LIMITS
    ) -> None:
        self._catalog, self._objects, self._limits = catalog, objects, limits

    def answer(self, question: ArchiveQuery) -> QueryResult:
        sql = validate_sql(question.sql, question.now)
        begins = _midnight(question.since) if question.since else EARLIEST
        ends = min(_midnight(question.until) + timedelta(days=1), LATEST) if question.until else LATEST
        span = RowSpan(after=mark_before(begins), before=mark_before(ends), user_id=question.user)
        for _ in range(QUERY_ATTEMPTS - 1):
            try:
                return self._run(sql, self._reached(question.tenant, span), span, question.without)
            except CorruptArchiveError as missing:  # merged with others meanwhile, or missing indeed
                if self._catalog.names(missing.key):
                    raise
        return self._run(sql, self._reached(question.tenant, span), span, question.without)

    def _reached(self, tenant: str, span: RowSpan) -> list[ArchiveObject]:
        objects = [
            each for each in self._catalog.of(tenant) if each.last > span.after and each.first < span.before
        ]
        _check(len(objects) <= QUERY_OBJECTS_MAX and sum(each.bytes for each in objects) <= QUERY_BYTES_MAX)
        return objects

    def _run(
        self, sql: str, objects: list[ArchiveObject], span: RowSpan, without: Sequence[str]
    ) -> QueryResult:
        with TemporaryDirectory() as folder:
            rows = Path(folder) / "episodes.parquet"
            if objects:
                self._objects().extract(objects, rows, span, without=without)
                _check(rows.stat().st_size <= COPY_BYTES_MAX)
            return run_sandboxed(sql, rows if objects else None, Path(folder), self._limits)


def _check(few: bool) -> None:  # noqa: FBT001 (the word reads as the condition it is)
    if not few:
        raise InvalidError(
            "too much is archived to look at it all: name fewer days by since and until", code="too_much"
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
