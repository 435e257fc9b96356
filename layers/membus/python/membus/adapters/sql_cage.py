"""The cage around the archive's engine.

A process of its own, without credentials, that ends when its time does.
"""

import json
import signal
import subprocess
import sys
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from membus.domain.archive_query import QUERY_COLUMNS, QueryResult
from membus.errors import InvalidError, UnavailableError


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
            [sys.executable, "-s", "-B", "-m", "membus.adapters.caged"],
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
