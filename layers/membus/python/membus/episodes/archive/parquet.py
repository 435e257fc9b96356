"""Parquet by DuckDB: rows to a file, files to one, and the rows of a file that a reader wants.

The engine fetches no extension from anywhere; its statements are this file's, and what they are about is
bound.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import duckdb

from membus.core.clock import EARLIEST
from membus.episodes.archive.model import ROW_SCHEMA, EpisodeRow

_TYPES = {
    "place": "VARCHAR",
    "event_id": "VARCHAR",
    "user_id": "VARCHAR",
    "session_id": "VARCHAR",
    "type": "VARCHAR",
    "occurred_at": "TIMESTAMPTZ",
    "body": "VARCHAR",
    "spilled": "VARCHAR",
    "spilled_bytes": "BIGINT",
}
_COLUMNS = ", ".join(_TYPES)
_READ = _COLUMNS.replace("occurred_at", "epoch_us(occurred_at) AS occurred_at")
_WRITTEN = (
    f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 4096, KV_METADATA {{membus_schema: '{ROW_SCHEMA}'}}"
)
"""Rows lie in time order, so a row group is a stretch of time and a reader skips all others by their statistics."""
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "700MB",
    # what outgrows it; its own choice is a read-only folder
    "temp_directory": f"{gettempdir()}/membus-duckdb",
    "threads": 2,
}
_BODY_MAX = 64 * 2**20


@dataclass(frozen=True)
class RowSpan:
    """The rows between two places, both excluded.

    Of one user or session where named, and how many at most.
    """

    after: str = ""
    before: str = "\U0010ffff"
    user_id: str | None = None
    session_id: str | None = None
    limit: int = 2**31


ALL_ROWS = RowSpan()


class DuckDbParquet:
    """`files` is an fsspec file system that the engine reads from beside the machine's own."""

    def __init__(self, files: object | None = None) -> None:
        self._engine = duckdb.connect(":memory:", config=_CONFIG)
        if files is not None:
            self._engine.register_filesystem(files)

    def write_rows(self, rows: Sequence[EpisodeRow], path: Path) -> None:
        """Write rows, in the order of their places, to a new file."""
        with TemporaryDirectory() as folder:
            lines = Path(folder) / "rows.jsonl"
            with lines.open("w", encoding="utf-8") as file:
                file.writelines(
                    json.dumps(row.model_dump(mode="json"), ensure_ascii=False) + "\n" for row in rows
                )
            options = f"format = 'newline_delimited', maximum_object_size = {_BODY_MAX}, columns = {_TYPES}"
            read = f"read_json('{lines}', {options})"
            self._engine.execute(
                f"COPY (SELECT {_COLUMNS} FROM {read} ORDER BY place) TO '{path}' ({_WRITTEN})"
            )

    def merge_files(self, paths: Sequence[str], path: Path, *, without_user: str | None) -> None:
        """Write the rows of several files to one new file, each place once, without one user's."""
        kept = f"SELECT DISTINCT ON (place) {_COLUMNS} FROM read_parquet($paths) WHERE user_id IS DISTINCT FROM $user"
        self._engine.execute(
            f"COPY ({kept} ORDER BY place) TO '{path}' ({_WRITTEN})",
            {"paths": list(paths), "user": without_user},
        )

    def extract_events(
        self, paths: Sequence[str], path: Path, span: RowSpan = ALL_ROWS, *, without: Sequence[str] = ()
    ) -> None:
        """Write what lies in a span of several files to one new file, each place once, as the events that they were.

        Rows of users in `without` are no part of it.
        """
        wanted = "place > $after AND place < $before AND coalesce(user_id = $user_id, $user_id IS NULL)"
        wanted = f"{wanted} AND NOT list_contains($without, user_id)"
        parts = "body->>'$.event.agent_id' AS agent_id, body->'$.event.payload' AS payload"
        events = f"event_id, user_id, session_id, type, occurred_at, {parts}"
        rows = f"SELECT DISTINCT ON (place) place, {events} FROM read_parquet($paths) WHERE {wanted} ORDER BY place"
        bound = {
            name: value for name, value in asdict(span).items() if name in {"after", "before", "user_id"}
        }
        named = {"paths": list(paths), "without": list(without), **bound}
        self._engine.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)", named)

    def read_extent(self, path: str) -> tuple[int, str, str]:
        """Return how many rows a file has, and its first and last place."""
        found = self._engine.execute(
            "SELECT count(*), min(place), max(place) FROM read_parquet($path)", {"path": path}
        )
        return _one(found)

    def compute_fingerprint(
        self, paths: Sequence[str], *, without_user: str | None = None
    ) -> tuple[Any, ...]:
        """Return what two sets of files have in common exactly if they hold the same rows."""
        kept = "FROM read_parquet($paths) WHERE user_id IS DISTINCT FROM $user"
        rows = f"SELECT DISTINCT place, hash(body, spilled, spilled_bytes) AS content {kept}"
        found = self._engine.execute(
            f"SELECT count(*), bit_xor(hash(place, content)), sum(hash(place, content)::HUGEINT) FROM ({rows})",
            {"paths": list(paths), "user": without_user},
        )
        return _one(found)

    def read_rows(self, path: str, span: RowSpan = ALL_ROWS) -> list[EpisodeRow]:
        """Return the rows of a span in time order."""
        wanted = "place > $after AND place < $before AND coalesce(user_id = $user_id, $user_id IS NULL)"
        session = "coalesce(session_id = $session_id, $session_id IS NULL)"
        found = self._engine.execute(
            f"SELECT {_READ} FROM read_parquet($path) WHERE {wanted} AND {session} ORDER BY place LIMIT $limit",
            {"path": path} | asdict(span),
        )
        return [_row(dict(zip(_TYPES, values, strict=True))) for values in found.fetchall()]


def _one(found: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row: tuple[Any, ...] = found.fetchone() or ()
    return row


def _row(values: dict[str, Any]) -> EpisodeRow:
    """DuckDB would hand out moments only with a library of time zones."""
    return EpisodeRow(**values | {"occurred_at": EARLIEST + timedelta(microseconds=values["occurred_at"])})
