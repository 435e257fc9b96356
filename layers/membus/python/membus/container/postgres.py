"""The parts of Postgres: where it is, who logs in, and its schema as its owner sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from membus.aws.secrets import read_login
from membus.container.parts import Parts
from membus.core.identity import DatabaseLogin
from membus.search.ports import ScopeIndexes
from membus.search.schema import DatabaseSchema

if TYPE_CHECKING:
    from membus.aws.postgres import PostgresAddress, PostgresConnection, TenantTransactions

CONNECT_SECONDS = 3
"""A search would rather answer less than wait for a database that wakes up."""


class PostgresParts(Parts):
    @cached_property
    def transactions(self) -> "TenantTransactions":
        from membus.aws.postgres import TenantTransactions

        return TenantTransactions(self._connect)

    @property
    def address(self) -> "PostgresAddress":
        from membus.aws.postgres import PostgresAddress

        return PostgresAddress(
            host=self._settings.get_text("POSTGRES_HOST"),
            port=self._settings.get_number("POSTGRES_PORT"),
            database=self._settings.get_text("POSTGRES_DATABASE"),
            sslmode=self._settings.get_text("POSTGRES_SSLMODE", "require"),
        )

    @property
    def functions_login(self) -> DatabaseLogin:
        """The login of the functions, read anew each time: a rotated password costs one reconnection."""
        return self._read_login("POSTGRES_APP_SECRET_ID")

    @contextmanager
    def open_schema(self, *, patience_seconds: float) -> Iterator[DatabaseSchema]:
        """Connect as the owner of the schema; the connection is closed at the end."""
        from membus.search.postgres_schema import PostgresSchema

        with self._connect_as_owner(patience_seconds) as connection:
            yield PostgresSchema(connection)

    @contextmanager
    def open_scope_indexes(self, *, patience_seconds: float) -> Iterator[ScopeIndexes]:
        """Connect to the indexes of large scopes as the owner of the schema."""
        from membus.search.postgres.scope_indexes import PostgresScopeIndexes

        with self._connect_as_owner(patience_seconds) as connection:
            yield PostgresScopeIndexes(connection)

    def _connect(self) -> "PostgresConnection":
        from membus.aws.postgres import connect_postgres

        return connect_postgres(self.address, self.functions_login, patience_seconds=CONNECT_SECONDS)

    def _connect_as_owner(self, patience_seconds: float) -> "PostgresConnection":
        from membus.aws.postgres import connect_postgres

        owner = self._read_login("POSTGRES_OWNER_SECRET_ID")
        return connect_postgres(self.address, owner, patience_seconds=patience_seconds)

    def _read_login(self, variable: str) -> DatabaseLogin:
        return read_login(self._settings.get_text(variable))
