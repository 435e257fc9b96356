"""A stranger's SQL over the archive.

Admitted by the gate, over a copy of what it may see, run in the cage.

The cage around the archive's engine.

A process of its own, without credentials, that ends when its time does.
"""

import json
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from membus.core.clock import EARLIEST, LATEST
from membus.core.errors import CorruptArchiveError, InvalidError, UnavailableError
from membus.episodes.archive.model import QUERY_COLUMNS, ArchiveObject, ArchiveQuery, QueryResult
from membus.episodes.archive.parquet import RowSpan
from membus.episodes.archive.ports import ArchiveCatalog
from membus.episodes.archive.s3 import S3ArchiveObjects
from membus.episodes.archive.sql_validator import validate_sql
from membus.episodes.model import mark_before


@dataclass(frozen=True)
class SandboxLimits:
    """`memory_bytes` bounds the address space of the process.

    About 400 MB are the engine before it has done anything.

    `cell` is the characters of one value, `output_bytes` all that the process may write anywhere.
    """

    wall_seconds: float = 8.0
    cpu_seconds: int = 5
    memory_bytes: int = 640 * 2**20
    rows: int = 200
    cell: int = 2_000
    output_bytes: int = 2**20


def run_sandboxed(sql: str, rows: Path | None, folder: Path, limits: SandboxLimits) -> QueryResult:
    """Return what an admitted statement gives over a file's rows, or over none; the file is gone afterwards.

    `folder` is where the process stands, and holds nothing else.

    Raises:
        InvalidError: `sql_failed`, in the engine's words.
        UnavailableError: `sql_stopped`, at one of the limits.
    """
    asked = {"sql": sql, "path": str(rows) if rows else None, "columns": QUERY_COLUMNS, **asdict(limits)}
    told = _run_worker(json.dumps(asked).encode(), folder, limits)
    if "failed" in told:
        raise InvalidError(told["failed"], code="sql_failed")
    if "stopped" in told:
        raise UnavailableError(told["stopped"], code="sql_stopped")
    return QueryResult(columns=told["columns"], rows=told["rows"], complete=told["complete"])


def _run_worker(asked: bytes, folder: Path, limits: SandboxLimits) -> dict[str, Any]:
    with TemporaryFile() as answer:
        process = subprocess.Popen(
            [sys.executable, "-s", "-B", "-m", "membus.episodes.archive.sql_worker"],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.communicate(asked, timeout=limits.wall_seconds)
        except subprocess.TimeoutExpired as error:
            raise UnavailableError("it takes longer than it may", code="sql_stopped") from error
        finally:
            process.kill()
            process.wait()
        answer.seek(0)
        return _parse_answer(answer.read(limits.output_bytes), process.returncode)


def _parse_answer(answer: bytes, status: int) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(answer)
    except ValueError as error:
        ended = signal.Signals(-status).name if status < 0 else f"status {status}"
        raise UnavailableError(f"it takes more than it may ({ended})", code="sql_stopped") from error
    return told


def _environment() -> dict[str, str]:
    """Return all that the process is told: where its code lies. One arena keeps its address space small."""
    paths = ":".join(str(Path(path).resolve()) for path in sys.path if path)
    libraries = sysconfig.get_config_var("LIBDIR") or ""
    return {"PYTHONPATH": paths, "LD_LIBRARY_PATH": libraries, "MALLOC_ARENA_MAX": "1"}


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

    def run_query(self, question: ArchiveQuery) -> QueryResult:
        sql = validate_sql(question.sql, question.now)
        begins = _midnight(question.since) if question.since else EARLIEST
        ends = min(_midnight(question.until) + timedelta(days=1), LATEST) if question.until else LATEST
        span = RowSpan(after=mark_before(begins), before=mark_before(ends), user_id=question.user)
        for _ in range(QUERY_ATTEMPTS - 1):
            try:
                return self._run(sql, self._reached(question.tenant, span), span, question.without)
            except CorruptArchiveError as missing:  # merged with others meanwhile, or missing indeed
                if self._catalog.has_object(missing.key):
                    raise
        return self._run(sql, self._reached(question.tenant, span), span, question.without)

    def _reached(self, tenant: str, span: RowSpan) -> list[ArchiveObject]:
        objects = [
            each
            for each in self._catalog.list_objects(tenant)
            if each.last > span.after and each.first < span.before
        ]
        _check(len(objects) <= QUERY_OBJECTS_MAX and sum(each.bytes for each in objects) <= QUERY_BYTES_MAX)
        return objects

    def _run(
        self, sql: str, objects: list[ArchiveObject], span: RowSpan, without: Sequence[str]
    ) -> QueryResult:
        with TemporaryDirectory() as folder:
            rows = Path(folder) / "episodes.parquet"
            if objects:
                self._objects().extract_events(objects, rows, span, without=without)
                _check(rows.stat().st_size <= COPY_BYTES_MAX)
            return run_sandboxed(sql, rows if objects else None, Path(folder), self._limits)


def _check(few: bool) -> None:  # noqa: FBT001 (the word reads as the condition it is)
    if not few:
        raise InvalidError(
            "too much is archived to look at it all: name fewer days by since and until", code="too_much"
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
