"""Archive queries: a validated statement runs over a copy of the rows it may see, in a process of its own."""

import json
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from membus.core.clock import EARLIEST, LATEST
from membus.core.errors import InvalidError, UnavailableError
from membus.core.event import DEFAULT_AGENT
from membus.episodes.archive.model import QUERY_COLUMNS, ArchiveQuery, QueryResult
from membus.episodes.archive.parquet import RowSpan
from membus.episodes.archive.ports import ArchiveCatalog
from membus.episodes.archive.reader import read_current_objects
from membus.episodes.archive.s3 import S3ArchiveObjects
from membus.episodes.archive.sql_validator import validate_sql
from membus.episodes.model import mark_before


@dataclass(frozen=True)
class QueryLimits:
    """What a query may read and its process may use; `cell` counts the characters of one value.

    `object_bytes` are Parquet bytes of all objects: what a function fetches in about two seconds.
    `copy_bytes` are those of the rows, which take several times that in memory. `memory_bytes` bounds the
    address space of the process, of which an idle engine takes about 400 MB, and `output_bytes` whatever it
    writes.
    """

    objects: int = 60
    object_bytes: int = 64 * 2**20
    copy_bytes: int = 16 * 2**20
    wall_seconds: float = 8.0
    cpu_seconds: int = 5
    memory_bytes: int = 640 * 2**20
    rows: int = 200
    cell: int = 2_000
    output_bytes: int = 2**20


LIMITS = QueryLimits()


class DuckDbArchiveQueries:
    """`objects` is a function: a process whose statement is refused never opens an object."""

    def __init__(
        self, catalog: ArchiveCatalog, objects: Callable[[], S3ArchiveObjects], limits: QueryLimits = LIMITS
    ) -> None:
        self._catalog, self._objects, self._limits = catalog, objects, limits

    def run_query(self, question: ArchiveQuery) -> QueryResult:
        sql = validate_sql(question.sql, question.now)
        begins = _midnight(question.since) if question.since else EARLIEST
        ends = min(_midnight(question.until) + timedelta(days=1), LATEST) if question.until else LATEST
        span = RowSpan(after=mark_before(begins), before=mark_before(ends), user_id=question.user)
        return read_current_objects(self._catalog, lambda: self._run(sql, question, span))

    def _run(self, sql: str, question: ArchiveQuery, span: RowSpan) -> QueryResult:
        objects = [
            each
            for each in self._catalog.list_objects(question.tenant)
            if each.last > span.after and each.first < span.before
            if question.visible_to is None or each.agent in {question.visible_to, DEFAULT_AGENT}
        ]
        limits = self._limits
        if len(objects) > limits.objects or sum(each.bytes for each in objects) > limits.object_bytes:
            raise _too_much()
        with TemporaryDirectory() as folder:
            rows = Path(folder) / "episodes.parquet"
            if objects:
                self._objects().extract_events(objects, rows, span, without=question.without)
                if rows.stat().st_size > limits.copy_bytes:
                    raise _too_much()
            return run_sandboxed(sql, rows if objects else None, Path(folder), limits)


def run_sandboxed(sql: str, rows: Path | None, folder: Path, limits: QueryLimits) -> QueryResult:
    """Return the result of a validated statement over a file's rows, or over none; the file is deleted.

    `folder` is the working directory of the process, and holds nothing else.

    Raises:
        InvalidError: `sql_failed`, in the engine's words.
        UnavailableError: `sql_stopped`, at one of the limits.
    """
    asked = {"sql": sql, "path": str(rows) if rows else None, "columns": QUERY_COLUMNS, **asdict(limits)}
    answer = _run_worker(json.dumps(asked).encode(), folder, limits)
    if "failed" in answer:
        raise InvalidError(answer["failed"], code="sql_failed")
    if "stopped" in answer:
        raise UnavailableError(answer["stopped"], code="sql_stopped")
    return QueryResult(columns=answer["columns"], rows=answer["rows"], complete=answer["complete"])


def _run_worker(asked: bytes, folder: Path, limits: QueryLimits) -> dict[str, Any]:
    with TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-s", "-B", "-m", "membus.episodes.archive.sql_worker"],
            cwd=folder,
            env=_worker_environment(),
            stdin=subprocess.PIPE,
            stdout=output,
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
        output.seek(0)
        return _parse_answer(output.read(limits.output_bytes), process.returncode)


def _parse_answer(output: bytes, status: int) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError as error:
        ended = signal.Signals(-status).name if status < 0 else f"status {status}"
        raise UnavailableError(f"it takes more than it may ({ended})", code="sql_stopped") from error
    return answer


def _worker_environment() -> dict[str, str]:
    """Return where the process finds its code, without credentials; one arena keeps its memory small."""
    paths = ":".join(str(Path(path).resolve()) for path in sys.path if path)
    libraries = sysconfig.get_config_var("LIBDIR") or ""
    return {"PYTHONPATH": paths, "LD_LIBRARY_PATH": libraries, "MALLOC_ARENA_MAX": "1"}


def _too_much() -> InvalidError:
    return InvalidError(
        "too much is archived to look at it all: name fewer days by since and until", code="too_much"
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
