"""The schema `membus` and its ledger `membus.migrations(name, sha256, applied_at)`, as their owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from membus.core.errors import ConflictError, InvalidError, UnavailableError
from membus.core.identity import DatabaseLogin
from membus.search.schema import Migration, SchemaInspection

_ADVISORY_LOCK = 0x6D656D627573  # "membus"
_LEDGER = """
    CREATE SCHEMA IF NOT EXISTS membus;
    CREATE TABLE IF NOT EXISTS membus.migrations (
        name text PRIMARY KEY,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
"""
_POWERS = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s"
_ROW_SECURITY = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity
      AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'membus' AND c.relkind IN ('r', 'p')
      AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped)
    ORDER BY c.relname
"""
_ROLE = """
    SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
      EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)
        OR EXISTS (SELECT FROM pg_namespace WHERE nspowner = pg_roles.oid),
      EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
    FROM pg_roles WHERE rolname = %s
"""
_POWER_LABELS = (
    "is a superuser",
    "bypasses row security",
    "makes roles",
    "makes databases",
    "owns tables or schemas",
    "is a member of another role",
)
_CREATE_ROLE = """
    CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {password}
"""
_ALTER_ROLE = "ALTER ROLE {role} LOGIN PASSWORD {password}"


class PostgresSchema:
    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def prepare_ledger(self, functions_login: DatabaseLogin) -> None:
        with self._lock_schema("preparing the schema"):
            self._connection.execute(_LEDGER)
            powers = self._connection.execute(_POWERS, [functions_login.username]).fetchone()
            if powers and powers[0]:
                raise InvalidError(
                    f"the role {functions_login.username} may do more than the functions should"
                )
            self._set_password(_ALTER_ROLE if powers else _CREATE_ROLE, functions_login)

    def apply_migration(self, migration: Migration) -> bool:
        with self._lock_schema(f"migration {migration.name}"):
            if self._is_applied(migration):
                return False
            self._connection.execute(migration.sql.encode())
            self._connection.execute(
                "INSERT INTO membus.migrations (name, sha256) VALUES (%s, %s)",
                [migration.name, migration.checksum],
            )
            return True

    def inspect_schema(self, functions_role: str) -> SchemaInspection:
        try:
            tables = self._connection.execute(_ROW_SECURITY).fetchall()
            role = self._connection.execute(_ROLE, [functions_role]).fetchone()
            applied = self._connection.execute("SELECT name, sha256 FROM membus.migrations").fetchall()
        except psycopg.Error as error:
            raise UnavailableError(f"the schema cannot be inspected: {error}") from error
        powers = (
            ["does not exist"]
            if role is None
            else [label for label, has in zip(_POWER_LABELS, role, strict=True) if has]
        )
        return SchemaInspection(
            [name for name, walled in tables if walled],
            [name for name, walled in tables if not walled],
            powers,
            dict(applied),
        )

    def _is_applied(self, migration: Migration) -> bool:
        ledger = "SELECT sha256 FROM membus.migrations WHERE name = %s"
        applied = self._connection.execute(ledger, [migration.name]).fetchone()
        if applied and applied[0] != migration.checksum:
            raise ConflictError(
                f"migration {migration.name} was changed after it had been applied; add a new one"
            )
        return applied is not None

    def _set_password(self, statement: LiteralString, login: DatabaseLogin) -> None:
        # The verifier is made here, so that the password is in no statement, hence in no log of the server.
        verifier = self._connection.pgconn.encrypt_password(
            login.password.encode(), login.username.encode(), b"scram-sha-256"
        )
        names = {"role": sql.Identifier(login.username), "password": sql.Literal(verifier.decode())}
        self._connection.execute(sql.SQL(statement).format(**names))

    @contextmanager
    def _lock_schema(self, doing: str) -> Iterator[None]:
        """Run the block in one transaction, one caller at a time; the lock ends with the transaction."""
        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL lock_timeout = '60s'")
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
                yield
        except psycopg.OperationalError as error:
            raise UnavailableError(f"{doing}: {error}") from error
        except psycopg.Error as error:
            raise InvalidError(f"{doing}: {error}") from error
