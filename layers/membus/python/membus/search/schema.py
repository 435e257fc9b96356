"""A step of the Postgres schema, and who logs in to it.

The Postgres schema, as the one who owns it sees it.
"""

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
    """The schema as it stands.

    Who is walled in by row security, what the functions' role could do, what was applied.

    `walled` and `unwalled` are tables that hold a tenant's rows, `powers` says in words what the role should
    not be able to do, `applied` is the checksum of each migration by its name.
    """

    walled: list[str]
    unwalled: list[str]
    powers: list[str]
    applied: dict[str, str]


class DatabaseSchema(Protocol):
    """Any number of callers may work at once.

    Each step happens for one of them, the others wait and skip it.
    """

    def prepare_ledger(self, functions_login: DatabaseLogin) -> None:
        """Make the ledger of migrations, and the role the functions log in as with its current password."""

    def apply_migration(self, migration: Migration) -> bool:
        """Return whether the migration was applied now.

        Raise ConflictError, naming it, where it was applied with other contents; InvalidError
        where the database refuses it, which leaves nothing of it behind.
        """

    def inspect_schema(self, functions_role: str) -> SchemaInspection:
        """Return how the schema stands, changing nothing."""
