"""The composition of Postgres: where it is, who logs in, and its schema as its owner sees it."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from membus.wiring import _env

if TYPE_CHECKING:
    from collections.abc import Iterator

    from membus.adapters.postgres import Address
    from membus.domain.migration import Login
    from membus.ports.schema import Schema


@contextmanager
def schema(*, patience_seconds: float) -> "Iterator[Schema]":
    """Open the schema as its owner and close the connection behind it."""
    from membus.adapters.postgres import connect
    from membus.adapters.postgres_schema import PostgresSchema
    from membus.adapters.secrets_manager import login

    owner = login(_env("POSTGRES_OWNER_SECRET_ID"))
    with connect(postgres_address(), owner, patience_seconds=patience_seconds) as connection:
        yield PostgresSchema(connection)


def postgres_address() -> "Address":
    from membus.adapters.postgres import Address

    return Address(
        host=_env("POSTGRES_HOST"),
        port=int(_env("POSTGRES_PORT")),
        database=_env("POSTGRES_DATABASE"),
        sslmode=_env("POSTGRES_SSLMODE", "require"),
    )


def functions_login() -> "Login":
    """Return what the functions log in to Postgres with."""
    from membus.adapters.secrets_manager import login

    return login(_env("POSTGRES_APP_SECRET_ID"))
