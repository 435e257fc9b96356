"""The way into Postgres: one connection, patient with a database that has to wake up first."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from membus.adapters.halfvec import HalfVector, HalfVectorDumper
from membus.domain.migration import DatabaseLogin
from membus.errors import UnavailableError

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
