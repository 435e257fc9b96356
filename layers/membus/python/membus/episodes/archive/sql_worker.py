"""The process in which an archive query runs: limits first, then rows, locks, and the statement.

Standard input is one JSON object with the path of a Parquet file, which is deleted before the statement runs.
Standard output is another: a table, or why there is none. The process holds no credentials.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import duckdb

LOADED = "event_id, user_id, agent_id, session_id, type, make_timestamp(epoch_us(occurred_at)) AS occurred_at, payload"
CONFIG: dict[str, Any] = {
    "threads": 1,
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
LOCKS = (
    "SET enable_external_access = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)


def main() -> None:
    asked = json.load(sys.stdin)
    _set_limits(asked)
    try:
        answer = _run_query(asked)
    except (MemoryError, duckdb.OutOfMemoryException):
        answer = {"stopped": "it takes more memory than it may"}
    except duckdb.Error as error:
        answer = {"failed": str(error).split("\n", 1)[0][:300]}
    json.dump(answer, sys.stdout)


def _set_limits(asked: dict[str, Any]) -> None:
    """Set limits that the process cannot raise again; `output_bytes` bounds every file it writes."""
    for name, most in (
        (resource.RLIMIT_AS, asked["memory_bytes"]),
        (resource.RLIMIT_CPU, asked["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, asked["output_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (most, most))


def _run_query(asked: dict[str, Any]) -> dict[str, Any]:
    engine = duckdb.connect(":memory:", config=CONFIG | {"memory_limit": f"{asked['memory_bytes'] // 3}B"})
    engine.execute(f"CREATE TABLE episodes ({', '.join(map(' '.join, asked['columns'].items()))})")
    if asked["path"]:
        engine.execute(f"INSERT INTO episodes SELECT {LOADED} FROM read_parquet(?)", [asked["path"]])
        Path(asked["path"]).unlink()
    for lock in LOCKS:
        engine.execute(lock)
    statements = engine.extract_statements(asked["sql"])
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        return {"failed": "the engine does not take it for one SELECT"}
    # Values are cast to text: a moment or a huge number would need a library.
    found = engine.execute(
        f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({asked['sql']}) LIMIT {asked['rows'] + 1}"
    )
    columns = [column[0] for column in found.description or []]
    rows, complete = _fit_rows(found, asked)
    return {"columns": columns, "rows": rows, "complete": complete}


def _fit_rows(found: duckdb.DuckDBPyConnection, asked: dict[str, Any]) -> tuple[list[list[str | None]], bool]:
    """Return the rows that fit the answer, and whether these are all; a long cell ends in an ellipsis."""
    rows: list[list[str | None]] = []
    left = asked["output_bytes"] // 4
    for row in iter(found.fetchone, None):
        cells = [
            cell if cell is None or len(cell) <= asked["cell"] else f"{cell[: asked['cell']]}…"
            for cell in row
        ]
        left -= sum(len(cell or "") + 8 for cell in cells)
        if left < 0 or len(rows) == asked["rows"]:
            return rows, False
        rows.append(cells)
    return rows, True


if __name__ == "__main__":
    main()
