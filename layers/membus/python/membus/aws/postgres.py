"""The way into Postgres: one connection, patient with a database that has to wake up first.

Vectors on their way to pgvector: as `halfvec` in its binary form, a thousand numbers in microseconds.

One connection to Postgres for a process, on which every transaction says whose rows it may see.
"""

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


@dataclass(frozen=True)
class HalfVector:
    """A parameter for `%(…)s::halfvec`.

    The cast tells the server the type, whose number differs by database.
    """

    values: Sequence[float]


class HalfVectorDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: HalfVector) -> Buffer:
        dimensions = len(obj.values)
        return struct.pack(f">Hh{dimensions}e", dimensions, 0, *obj.values)


_TRY_SECONDS = 15  # a paused cluster holds the first connection until it is awake
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
) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection in autocommit mode: transactions are always explicit.

    Retries what a sleeping or restarting database answers, until `patience_seconds` have passed;
    raises UnavailableError then, and at once where the login itself is refused.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return _open_connection(
                address, login, max(1, min(_TRY_SECONDS, int(deadline - time.monotonic())))
            )
        except psycopg.OperationalError as error:
            refused = error.pgconn is not None and error.pgconn.used_password
            if refused or time.monotonic() + _PAUSE_SECONDS >= deadline:
                where = f"{address.host}:{address.port}/{address.database} as {login.username}"
                raise UnavailableError(f"no connection to {where}: {error}") from error
        sleep(_PAUSE_SECONDS)


def _open_connection(
    address: PostgresAddress, login: DatabaseLogin, timeout: int
) -> psycopg.Connection[tuple[Any, ...]]:
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


PostgresConnection = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")
TransactionWork = Callable[[PostgresConnection], Callable[[], T]]
TRANSACTION_RETRY = RetryPolicy(tries=3, pause_seconds=0.1)
RECONNECT_PAUSE_SECONDS = 5.0
"""A database that did not answer is left alone for so long: whoever asks meanwhile is told at once."""
_OPEN_STATUSES = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_RETRYABLE_ERRORS = (errors.SerializationFailure, errors.DeadlockDetected)
_CONNECTION_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError)
_ROW_SECURITY_CHECK = """
    SELECT row_security_active('membus.memories') AND row_security_active('membus.vectors')
        AND NOT EXISTS (SELECT FROM membus.memories) AND NOT EXISTS (SELECT FROM membus.vectors)
"""


class TenantTransactions:
    """`connect` opens a connection in autocommit mode, where there is none or the last one has died."""

    def __init__(
        self, connect: Callable[[], PostgresConnection], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._connect, self._sleep = connect, sleep
        self._connection: PostgresConnection | None = None
        self._rests_until = 0.0

    def run_transaction(self, tenant: str, work: TransactionWork[T]) -> T:
        """Return the answer of `work`, sent in one transaction as `tenant`; it may run again.

        `work` returns a function that reads the answer to what it sent last: by then the transaction is over,
        in the same round trip.

        Raises:
            UnavailableError: no connection, none to spare, or out of time; worth another try later.
            InvalidError: a value that no column holds; no try will help.
            IsolationError: without a tenant this login sees rows, so it must not be used at all.
        """
        for tried in count():
            try:
                with _translate_postgres_errors():
                    return self._once(tenant, work)
            except _RETRYABLE_ERRORS as error:
                if not TRANSACTION_RETRY.wait(tried, sleep=self._sleep):
                    raise UnavailableError("the search index is contended") from error
            except _CONNECTION_ERRORS as error:
                if not self._forget() or tried + 1 == TRANSACTION_RETRY.tries:
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

    def _once(self, tenant: str, work: TransactionWork[T]) -> T:
        connection = self._connection or self._open()
        try:
            # In a pipeline only what is fetched is waited for: the frame of a transaction costs no round
            # trip.
            with connection.pipeline():
                connection.execute("BEGIN")
                # Transaction-local, so a pooler that hands the connection on hands on no tenant.
                connection.execute("SELECT set_config('membus.tenant_id', %s, true)", [tenant])
                answer = work(connection)
                connection.execute("COMMIT")
        except BaseException:
            if connection.info.transaction_status in _OPEN_STATUSES:
                connection.execute("ROLLBACK")
            raise
        return answer()

    def _open(self) -> PostgresConnection:
        if time.monotonic() < self._rests_until:
            raise UnavailableError("the search index did not answer a moment ago", retry_after_seconds=15)
        try:
            connection = self._connect()
        except UnavailableError:
            self._rests_until = time.monotonic() + RECONNECT_PAUSE_SECONDS
            raise
        (safe,) = connection.execute(_ROW_SECURITY_CHECK).fetchone() or (False,)
        if not safe:
            connection.close()
            raise IsolationError("a query without a tenant sees rows: row security does not bind this login")
        self._connection = connection
        return connection

    def _forget(self) -> bool:
        """Drop a connection that died and say whether there was one."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
        return connection is not None


@contextmanager
def _translate_postgres_errors() -> Iterator[None]:
    """Tell apart what a second try right now would only make worse, or could not help at all."""
    try:
        yield
    except errors.QueryCanceled as error:
        raise UnavailableError("the search index took too long", code="timeout") from error
    except errors.TooManyConnections as error:
        raise UnavailableError("the search index has no connection to spare") from error
    except psycopg.DataError as error:
        raise InvalidError(f"the search index cannot hold this: {error}", code="unstorable") from error
