"""The child process in which a stranger's SQL runs.

Its own limits first, then the rows, then the locks, then the SQL.

It is given one Parquet file, removes it before the statement runs, and holds no credentials. Standard input
is one JSON object, standard output another: a table, or why there is none.
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
    _limit(asked)
    try:
        told = _answer(asked)
    except (MemoryError, duckdb.OutOfMemoryException):
        told = {"stopped": "it takes more memory than it may"}
    except duckdb.Error as error:
        told = {"failed": str(error).split("\n", 1)[0][:300]}
    json.dump(told, sys.stdout)


def _limit(asked: dict[str, Any]) -> None:
    """Nothing here can be raised again; a file that is written ends at what an answer may have."""
    for name, most in (
        (resource.RLIMIT_AS, asked["memory_bytes"]),
        (resource.RLIMIT_CPU, asked["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, asked["output_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (most, most))


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
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
    # The engine writes every value as text: a moment or a huge number needs no library to be handed on.
    found = engine.execute(
        f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({asked['sql']}) LIMIT {asked['rows'] + 1}"
    )
    columns = [column[0] for column in found.description or []]
    rows, complete = _within(found, asked)
    return {"columns": columns, "rows": rows, "complete": complete}


def _within(found: duckdb.DuckDBPyConnection, asked: dict[str, Any]) -> tuple[list[list[str | None]], bool]:
    """Return as many rows as an answer may have; a long cell is cut, and its row says so by an ellipsis."""
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
