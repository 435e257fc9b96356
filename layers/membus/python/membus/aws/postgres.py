"""A process's connection to Postgres, on which every transaction names the tenant whose rows it may see."""

import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format, TransactionStatus

from membus.core.errors import InvalidError, IsolationError, UnavailableError
from membus.core.identity import DatabaseLogin
from membus.core.retry import RetryPolicy

PostgresConnection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class HalfVector:
    """A vector for pgvector, bound as `%(…)s::halfvec`: the cast names the type, whose number differs."""

    values: Sequence[float]


class HalfVectorDumper(Dumper):
    """Sends a vector in pgvector's binary form: a thousand numbers in microseconds."""

    format = Format.BINARY

    def dump(self, obj: HalfVector) -> Buffer:
        dimensions = len(obj.values)
        return struct.pack(f">Hh{dimensions}e", dimensions, 0, *obj.values)


_TRY_SECONDS = 15
"""A paused cluster holds the first connection until it has resumed."""
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class PostgresAddress:
    host: str
    port: int
    database: str
    sslmode: str


def connect_postgres(
    address: PostgresAddress,
    login: DatabaseLogin,
    *,
    patience_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> PostgresConnection:
    """Return a connection in autocommit mode: transactions are always explicit.

    Tries again while the database resumes or restarts.

    Raises:
        UnavailableError: `patience_seconds` have passed, or the login is refused.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        timeout = max(1, min(_TRY_SECONDS, int(deadline - time.monotonic())))
        try:
            return _open_connection(address, login, timeout)
        except psycopg.OperationalError as error:
            refused = error.pgconn is not None and error.pgconn.used_password
            if refused or time.monotonic() + _PAUSE_SECONDS >= deadline:
                where = f"{address.host}:{address.port}/{address.database} as {login.username}"
                raise UnavailableError(f"no connection to {where}: {error}") from error
        sleep(_PAUSE_SECONDS)


def _open_connection(address: PostgresAddress, login: DatabaseLogin, timeout: int) -> PostgresConnection:
    connection = psycopg.connect(
        host=address.host,
        port=address.port,
        dbname=address.database,
        user=login.username,
        password=login.password,
        sslmode=address.sslmode,
        connect_timeout=timeout,
        autocommit=True,
        prepare_threshold=None,  # a prepared statement pins the connection of RDS Proxy
        application_name="membus",
    )
    connection.adapters.register_dumper(HalfVector, HalfVectorDumper)
    return connection


T = TypeVar("T")
TransactionWork = Callable[[PostgresConnection], Callable[[], T]]
TRANSACTION_RETRY = RetryPolicy(tries=3, pause_seconds=0.1)
RECONNECT_PAUSE_SECONDS = 5.0
"""How long no new connection is tried after one failed: requests fail at once meanwhile."""
_OPEN_STATUSES = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_RETRYABLE_ERRORS = (errors.SerializationFailure, errors.DeadlockDetected)
_CONNECTION_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError)
_ROW_SECURITY_CHECK = """
    SELECT row_security_active('membus.memories') AND row_security_active('membus.vectors')
        AND NOT EXISTS (SELECT FROM membus.memories) AND NOT EXISTS (SELECT FROM membus.vectors)
"""


class TenantTransactions:
    """Transactions of tenants over one connection; `connect` opens it, and again where it was lost."""

    def __init__(
        self, connect: Callable[[], PostgresConnection], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._connect, self._sleep = connect, sleep
        self._connection: PostgresConnection | None = None
        self._retry_at = 0.0

    def run_transaction(self, tenant: str, work: TransactionWork[T]) -> T:
        """Run `work` in a transaction of `tenant`, again where it lost a race; return its answer.

        `work` sends statements and returns a function that reads the answer to the last one: it is called
        after the commit, which takes the same round trip.

        Raises:
            UnavailableError: no connection, none to spare, or out of time; worth another try later.
            InvalidError: a value that no column holds; no try will help.
            IsolationError: without a tenant this login sees rows, so it must not be used at all.
        """
        for tried in count():
            try:
                with _translate_postgres_errors():
                    return self._run_once(tenant, work)
            except _RETRYABLE_ERRORS as error:
                if not TRANSACTION_RETRY.wait(tried, sleep=self._sleep):
                    raise UnavailableError("the search index is contended") from error
            except _CONNECTION_ERRORS as error:
                if not self._drop_connection() or tried + 1 == TRANSACTION_RETRY.tries:
                    raise UnavailableError(
                        "the search index cannot be reached", retry_after_seconds=15
                    ) from error
        raise AssertionError("every try returns or raises")

    def execute_statement(
        self, tenant: str, statement: str, values: Mapping[str, Any]
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        """Return the cursor of one statement in its own transaction; raises what `run_transaction` does."""

        def work(connection: PostgresConnection) -> Callable[[], psycopg.Cursor[tuple[Any, ...]]]:
            cursor = connection.execute(statement.encode(), values)
            return lambda: cursor

        return self.run_transaction(tenant, work)

    def _run_once(self, tenant: str, work: TransactionWork[T]) -> T:
        connection = self._connection or self._open()
        try:
            # A pipeline waits only for what is fetched: BEGIN and COMMIT cost no round trip of their own.
            with connection.pipeline():
                connection.execute("BEGIN")
                # Local to the transaction: a pooler that passes the connection on passes on no tenant.
                connection.execute("SELECT set_config('membus.tenant_id', %s, true)", [tenant])
                answer = work(connection)
                connection.execute("COMMIT")
        except BaseException:
            if connection.info.transaction_status in _OPEN_STATUSES:
                connection.execute("ROLLBACK")
            raise
        return answer()

    def _open(self) -> PostgresConnection:
        if time.monotonic() < self._retry_at:
            raise UnavailableError("the search index did not answer a moment ago", retry_after_seconds=15)
        try:
            connection = self._connect()
        except UnavailableError:
            self._retry_at = time.monotonic() + RECONNECT_PAUSE_SECONDS
            raise
        (safe,) = connection.execute(_ROW_SECURITY_CHECK).fetchone() or (False,)
        if not safe:
            connection.close()
            raise IsolationError("a query without a tenant sees rows: row security does not bind this login")
        self._connection = connection
        return connection

    def _drop_connection(self) -> bool:
        """Close the connection that failed; return whether there was one."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
        return connection is not None


@contextmanager
def _translate_postgres_errors() -> Iterator[None]:
    """Translate the errors that a second try right now would make worse or could not help."""
    try:
        yield
    except errors.QueryCanceled as error:
        raise UnavailableError("the search index took too long", code="timeout") from error
    except errors.TooManyConnections as error:
        raise UnavailableError("the search index has no connection to spare") from error
    except psycopg.DataError as error:
        raise InvalidError(f"the search index cannot hold this: {error}", code="unstorable") from error
