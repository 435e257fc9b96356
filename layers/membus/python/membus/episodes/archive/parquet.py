"""Parquet files by DuckDB: rows are written, merged, read and extracted.

The engine loads no extension. Statements consist of this module's constants; values are bound.
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
# DuckDB returns moments as Python objects only with a library of time zones.
_READ_COLUMNS = _COLUMNS.replace("occurred_at", "epoch_us(occurred_at) AS occurred_at")
# Rows are in time order, so a row group is a span of time, and a reader skips the others by their statistics.
_WRITE_OPTIONS = (
    f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 4096, KV_METADATA {{membus_schema: '{ROW_SCHEMA}'}}"
)
_IN_SPAN = "place > $after AND place < $before AND coalesce(user_id = $user_id, $user_id IS NULL)"
_KEPT = (
    "FROM read_parquet($paths) WHERE user_id IS DISTINCT FROM $user"
    " OR (len($events) > 0 AND NOT list_contains($events, event_id))"
)
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "700MB",
    # for what exceeds the memory limit; the engine's default is a read-only folder in Lambda
    "temp_directory": f"{gettempdir()}/membus-duckdb",
    "threads": 2,
}
_BODY_MAX = 64 * 2**20


@dataclass(frozen=True)
class RowSpan:
    """The rows between two places, both excluded, of one user or session where named."""

    after: str = ""
    before: str = "\U0010ffff"
    user_id: str | None = None
    session_id: str | None = None
    limit: int = 2**31


ALL_ROWS = RowSpan()


class DuckDbParquet:
    """`files` is an fsspec file system that the engine reads from beside the local one."""

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
            select = f"SELECT {_COLUMNS} FROM read_json('{lines}', {options}) ORDER BY place"
            self._engine.execute(f"COPY ({select}) TO '{path}' ({_WRITE_OPTIONS})")

    def merge_files(
        self,
        paths: Sequence[str],
        path: Path,
        *,
        without_user: str | None,
        without_events: Sequence[str] = (),
    ) -> None:
        """Write the rows of several files to one new file, each place once, without one user's.

        Of the user only `without_events` are left out, where these are named.
        """
        rows = f"SELECT DISTINCT ON (place) {_COLUMNS} {_KEPT}"
        self._engine.execute(
            f"COPY ({rows} ORDER BY place) TO '{path}' ({_WRITE_OPTIONS})",
            {"paths": list(paths), "user": without_user, "events": list(without_events)},
        )

    def extract_events(
        self, paths: Sequence[str], path: Path, span: RowSpan = ALL_ROWS, *, without: Sequence[str] = ()
    ) -> None:
        """Write the events in a span of several files to one file, each once, but for users in `without`."""
        parts = "body->>'$.event.agent_id' AS agent_id, body->'$.event.payload' AS payload"
        columns = f"place, event_id, user_id, session_id, type, occurred_at, {parts}"
        wanted = f"{_IN_SPAN} AND NOT list_contains($without, user_id)"
        rows = f"SELECT DISTINCT ON (place) {columns} FROM read_parquet($paths) WHERE {wanted} ORDER BY place"
        bound = {"after": span.after, "before": span.before, "user_id": span.user_id}
        self._engine.execute(
            f"COPY ({rows}) TO '{path}' (FORMAT parquet)",
            {"paths": list(paths), "without": list(without), **bound},
        )

    def read_extent(self, path: str) -> tuple[int, str, str]:
        """Return the number of rows of a file, and its first and last place."""
        found = self._engine.execute(
            "SELECT count(*), min(place), max(place) FROM read_parquet($path)", {"path": path}
        )
        return _first_row(found)

    def compute_fingerprint(
        self, paths: Sequence[str], *, without_user: str | None = None, without_events: Sequence[str] = ()
    ) -> tuple[Any, ...]:
        """Return a value that is the same for two sets of files exactly if they hold the same rows."""
        rows = f"SELECT DISTINCT place, hash(body, spilled, spilled_bytes) AS content {_KEPT}"
        found = self._engine.execute(
            f"SELECT count(*), bit_xor(hash(place, content)), sum(hash(place, content)::HUGEINT) FROM ({rows})",
            {"paths": list(paths), "user": without_user, "events": list(without_events)},
        )
        return _first_row(found)

    def read_rows(self, path: str, span: RowSpan = ALL_ROWS) -> list[EpisodeRow]:
        """Return the rows of a span in time order."""
        session = "coalesce(session_id = $session_id, $session_id IS NULL)"
        found = self._engine.execute(
            f"SELECT {_READ_COLUMNS} FROM read_parquet($path) WHERE {_IN_SPAN} AND {session}"
            " ORDER BY place LIMIT $limit",
            {"path": path} | asdict(span),
        )
        return [_episode_row(dict(zip(_TYPES, values, strict=True))) for values in found.fetchall()]


def _first_row(found: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row: tuple[Any, ...] = found.fetchone() or ()
    return row


def _episode_row(values: dict[str, Any]) -> EpisodeRow:
    return EpisodeRow(**values | {"occurred_at": EARLIEST + timedelta(microseconds=values["occurred_at"])})
