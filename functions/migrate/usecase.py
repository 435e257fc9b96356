"""Migrations of the Postgres schema by the SQL files here, and approximate indexes for large scopes."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from membus.core.identity import DatabaseLogin
from membus.search.ports import ScopeIndexes
from membus.search.schema import DatabaseSchema, Migration


class MigrationOutcome(TypedDict):
    """The migrations that were applied now, and the one that the schema has reached."""

    applied: list[str]
    version: str


def apply_migrations(
    migrations: Sequence[Migration], *, schema: DatabaseSchema, functions_login: DatabaseLogin
) -> MigrationOutcome:
    """Apply new migrations in order; one that changed after it was applied stops the rest."""
    schema.prepare_ledger(functions_login)
    applied = [migration.name for migration in migrations if schema.apply_migration(migration)]
    return {"applied": applied, "version": migrations[-1].name}


class SchemaReport(TypedDict):
    """The schema compared with the files; the `changed` ones were applied with other contents."""

    role: str
    walled: list[str]
    unwalled: list[str]
    powers: list[str]
    pending: list[str]
    changed: list[str]
    version: str


def inspect_schema(
    migrations: Sequence[Migration], *, schema: DatabaseSchema, functions_role: str
) -> SchemaReport:
    found = schema.inspect_schema(functions_role)
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


def read_migrations(folder: Path) -> list[Migration]:
    """Read `NNNN_name.sql` files in the order of their numbers."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(file.stem, file.read_text(encoding="utf-8")) for file in files]


class IndexMaintenanceReport(TypedDict):
    made: list[str]
    dropped: list[str]


def embedding_wait_seconds(indexes: ScopeIndexes, *, model: str, now: datetime) -> float:
    """Return how long the oldest text without a vector of the model has waited; 0 where none waits."""
    since = indexes.oldest_pending_time(model)
    return (now - since).total_seconds() if since else 0.0


def maintain_indexes(indexes: ScopeIndexes, *, at_least: int) -> IndexMaintenanceReport:
    """Create and drop approximate indexes; a scope keeps its own down to half of `at_least` vectors."""
    existing = indexes.list_indexes()
    wanted = {indexes.index_name(scope): scope for scope in indexes.list_large_scopes(at_least=at_least)}
    kept = {indexes.index_name(scope) for scope in indexes.list_large_scopes(at_least=at_least // 2)}
    dropped = [name for name, whole in existing.items() if not whole or name not in kept]
    for name in dropped:
        indexes.drop_index(name)
    missing = [name for name in wanted if not existing.get(name)]
    for name in missing:
        indexes.create_index(wanted[name])
    return {"made": missing, "dropped": dropped}
