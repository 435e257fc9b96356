"""One partial HNSW index for each large scope: of that scope alone, so no filter shortens its results."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from membus.aws.postgres import PostgresConnection
from membus.core.errors import InvalidError, UnavailableError
from membus.search.ports import LargeScope
from membus.search.postgres.statements import WITHOUT_VECTOR

_PREFIX = "near_"
_LARGE_SCOPES = """
    SELECT tenant_id, model, scope FROM membus.scopes WHERE rows >= %s AND model <> ''
    ORDER BY rows DESC, tenant_id, model, scope
"""
_TENANTS_WITHOUT_VECTORS = """
    SELECT DISTINCT tenant_id FROM (
        SELECT tenant_id FROM membus.scopes WHERE model IN ('', %(model)s) GROUP BY tenant_id, scope
        HAVING sum(CASE model WHEN '' THEN rows ELSE -rows END) > 0
    ) AS behind
"""
_LIST_INDEXES = """
    SELECT class.relname, index.indisvalid FROM pg_index AS index
    JOIN pg_class AS class ON class.oid = index.indexrelid
    WHERE index.indrelid = 'membus.vectors'::regclass AND starts_with(class.relname, %s)
"""
_DIMENSIONS = """
    SELECT dimensions FROM membus.vectors WHERE tenant_id = %s AND model = %s AND scope = %s LIMIT 1
"""
_CREATE_INDEX = """
    CREATE INDEX CONCURRENTLY {name} ON membus.vectors
    USING hnsw ((embedding::public.halfvec({dimensions})) public.halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200)
    WHERE tenant_id = {tenant} AND model = {model} AND scope = {scope}
"""
_MEMORY = "SET maintenance_work_mem = '512MB'"
"""A graph that fits is built many times faster: some 150,000 vectors of 1,024 dimensions."""


class PostgresScopeIndexes:
    """`connection` is the schema owner's, in autocommit mode: an index is created concurrently."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def list_large_scopes(self, *, at_least: int) -> Sequence[LargeScope]:
        with _postgres_errors("reading the sizes of scopes"):
            return [LargeScope(*row) for row in self._connection.execute(_LARGE_SCOPES, [at_least])]

    def oldest_pending_time(self, model: str) -> datetime | None:
        """Query each tenant that has more texts than vectors, under its row security."""
        asked = f"SELECT min(m.updated_at) {WITHOUT_VECTOR}".encode()
        with _postgres_errors("reading what waits for its vector"):
            behind = self._connection.execute(_TENANTS_WITHOUT_VECTORS, {"model": model}).fetchall()
            oldest = [
                self._query_as_tenant(tenant, asked, {"tenant": tenant, "model": model})
                for (tenant,) in behind
            ]
        return min((row[0] for row in oldest if row and row[0]), default=None)

    def list_indexes(self) -> Mapping[str, bool]:
        with _postgres_errors("reading the indexes of scopes"):
            return {
                str(name): bool(whole) for name, whole in self._connection.execute(_LIST_INDEXES, [_PREFIX])
            }

    def index_name(self, scope: LargeScope) -> str:
        return _PREFIX + hashlib.sha256("\n".join(scope).encode()).hexdigest()[:32]

    def create_index(self, scope: LargeScope) -> None:
        with _postgres_errors(f"indexing scope {scope.scope} of {scope.tenant}"):
            if dimensions := self._dimensions(scope):
                parts = {name: sql.Literal(value) for name, value in scope._asdict().items()}
                statement = sql.SQL(_CREATE_INDEX).format(
                    name=sql.Identifier(self.index_name(scope)), dimensions=sql.Literal(dimensions), **parts
                )
                self._connection.execute(_MEMORY)
                self._connection.execute(statement)

    def drop_index(self, name: str) -> None:
        with _postgres_errors(f"dropping the index {name}"):
            statement = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS membus.{}")
            self._connection.execute(statement.format(sql.Identifier(name)))

    def _dimensions(self, scope: LargeScope) -> int | None:
        row = self._query_as_tenant(scope.tenant, _DIMENSIONS.encode(), list(scope))
        return int(row[0]) if row else None

    def _query_as_tenant(self, tenant: str, asked: bytes, parameters: Any) -> tuple[Any, ...] | None:
        """Run a query as a tenant: row security is forced on the owner, too."""
        with self._connection.transaction():
            self._connection.execute("SELECT set_config('membus.tenant_id', %s, true)", [tenant])
            return self._connection.execute(asked, parameters).fetchone()


@contextmanager
def _postgres_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        raise UnavailableError(f"{doing}: {error}") from error
    except psycopg.Error as error:
        raise InvalidError(f"{doing}: {error}") from error
