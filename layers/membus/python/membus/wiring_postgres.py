"""The composition of Postgres: where it is, who logs in, and its schema as its owner sees it."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from membus.wiring import _env

if TYPE_CHECKING:
    from collections.abc import Iterator

    from membus.aws.postgres import PostgresAddress
    from membus.core.identity import DatabaseLogin
    from membus.search.schema import DatabaseSchema


@contextmanager
def schema(*, patience_seconds: float) -> "Iterator[DatabaseSchema]":
    """Open the schema as its owner and close the connection behind it."""
    from membus.aws.postgres import connect_postgres
    from membus.aws.secrets import read_login
    from membus.search.postgres_schema import PostgresSchema

    owner = read_login(_env("POSTGRES_OWNER_SECRET_ID"))
    with connect_postgres(postgres_address(), owner, patience_seconds=patience_seconds) as connection:
        yield PostgresSchema(connection)


def postgres_address() -> "PostgresAddress":
    from membus.aws.postgres import PostgresAddress

    return PostgresAddress(
        host=_env("POSTGRES_HOST"),
        port=int(_env("POSTGRES_PORT")),
        database=_env("POSTGRES_DATABASE"),
        sslmode=_env("POSTGRES_SSLMODE", "require"),
    )


def functions_login() -> "DatabaseLogin":
    """Return what the functions log in to Postgres with."""
    from membus.aws.secrets import read_login

    return read_login(_env("POSTGRES_APP_SECRET_ID"))
