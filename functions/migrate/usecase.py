"""What migrate does: brings the Postgres schema to the newest of the SQL files beside it, in their order."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from membus.domain.migration import Login, Migration
from membus.ports.schema import Schema


class Outcome(TypedDict):
    """What was applied now, and the file that the schema has reached."""

    applied: list[str]
    version: str


def migrate(migrations: Sequence[Migration], *, schema: Schema, functions_login: Login) -> Outcome:
    """Apply what is new; a file that changed after it was applied stops everything behind it."""
    schema.prepare(functions_login)
    applied = [migration.name for migration in migrations if schema.apply(migration)]
    return {"applied": applied, "version": migrations[-1].name}


class Report(TypedDict):
    """How the schema stands beside the files here; `changed` were applied with other contents."""

    role: str
    walled: list[str]
    unwalled: list[str]
    powers: list[str]
    pending: list[str]
    changed: list[str]
    version: str


def inspect(migrations: Sequence[Migration], *, schema: Schema, functions_role: str) -> Report:
    found = schema.inspect(functions_role)
    return {
        "role": functions_role,
        "walled": found.walled,
        "unwalled": found.unwalled,
        "powers": found.powers,
        "pending": [each.name for each in migrations if each.name not in found.applied],
        "changed": [
            each.name for each in migrations if found.applied.get(each.name, each.checksum) != each.checksum
        ],
        "version": max(found.applied, default="nothing"),
    }


def migrations_in(folder: Path) -> list[Migration]:
    """Read `NNNN_name.sql` files in the order of their numbers."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(file.stem, file.read_text(encoding="utf-8")) for file in files]
