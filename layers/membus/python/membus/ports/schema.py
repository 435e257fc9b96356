"""The Postgres schema, as the one who owns it sees it."""

from typing import Protocol

from membus.domain.migration import DatabaseLogin, Migration, SchemaInspection


class DatabaseSchema(Protocol):
    """Any number of callers may work at once.

    Each step happens for one of them, the others wait and skip it.
    """

    def prepare(self, functions_login: DatabaseLogin) -> None:
        """Make the ledger of migrations, and the role the functions log in as with its current password."""

    def apply(self, migration: Migration) -> bool:
        """Return whether the migration was applied now.

        Raise ConflictError, naming it, where it was applied with other contents; InvalidError
        where the database refuses it, which leaves nothing of it behind.
        """

    def inspect(self, functions_role: str) -> SchemaInspection:
        """Return how the schema stands, changing nothing."""
