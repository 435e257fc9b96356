"""The Postgres schema: its migrations, what an inspection finds, and the port of its owner."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from membus.core.identity import DatabaseLogin


@dataclass(frozen=True)
class Migration:
    """An SQL file that is applied once and never changes afterwards."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class SchemaInspection:
    """The state of the schema.

    `walled` and `unwalled` are tables with rows of tenants, with and without row security. `powers` names
    what the functions' role can do and should not. `applied` is the checksum of each migration by name.
    """

    walled: list[str]
    unwalled: list[str]
    powers: list[str]
    applied: dict[str, str]


class DatabaseSchema(Protocol):
    """Callers may work at the same time: one of them does each step, the others wait and skip it."""

    def prepare_ledger(self, functions_login: DatabaseLogin) -> None:
        """Make the ledger of migrations, and the role of the functions with its current password."""

    def apply_migration(self, migration: Migration) -> bool:
        """Return whether the migration was applied now.

        Raises:
            ConflictError: it was applied with other contents.
            InvalidError: the database refuses it, and nothing of it remains.
        """

    def inspect_schema(self, functions_role: str) -> SchemaInspection:
        """Return the state of the schema, without changing it."""
