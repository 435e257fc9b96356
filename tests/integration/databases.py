"""The local stack's PostgreSQL, and a database of its own for each test with the owner that Terraform would give it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from functions.migrate.handler import SQL
from functions.migrate.usecase import apply_migrations, read_migrations
from localstack import running
from localstack.home import Home
from localstack.parts import LOOPBACK, choose_ports
from localstack.postgres import OWNER, PostgresPart, make_database, read_passwords
from membus.aws.postgres import PostgresAddress, connect_postgres
from membus.core.identity import DatabaseLogin
from membus.search.postgres_schema import PostgresSchema

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Database:
    address: PostgresAddress
    superuser: DatabaseLogin
    owner: DatabaseLogin
    functions: DatabaseLogin
    log: Path

    def open(self, login: DatabaseLogin) -> psycopg.Connection[tuple[Any, ...]]:
        return connect_postgres(self.address, login, patience_seconds=PATIENCE_SECONDS)


@contextmanager
def postgres(folder: Path) -> Iterator[Database]:
    """Run a server for the block, on a free loopback port."""
    home, part = Home(folder), PostgresPart()
    home.create_folders()
    port = choose_ports({part.name: 0})[part.name]
    try:
        running.start(home, part, port, os.environ, threading.Event())  # noqa: TID251 - the part's own environment
        make_database(home, port)
        passwords = read_passwords(home)
        yield Database(
            PostgresAddress(host=LOOPBACK, port=port, database="postgres", sslmode="prefer"),
            superuser=DatabaseLogin("postgres", passwords.superuser),
            owner=DatabaseLogin(OWNER, passwords.owner),
            functions=DatabaseLogin("membus_app", uuid4().hex),
            log=home.log_file(part.name),
        )
    finally:
        running.stop(home, part)


def empty_database(server: Database) -> Database:
    """Make a database that nothing but the extension is in; only a superuser may put that there."""
    name = f"test_{uuid4().hex}"
    with server.open(server.superuser) as connection:
        make = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(make.format(sql.Identifier(name), sql.Identifier(server.owner.username)))
    database = replace(server, address=replace(server.address, database=name))
    with database.open(server.superuser) as connection:
        connection.execute("CREATE EXTENSION vector")
    return database


def migrated_database(server: Database) -> Database:
    """Make a database as Terraform's apply leaves it."""
    database = empty_database(server)
    with database.open(database.owner) as connection:
        apply_migrations(
            read_migrations(SQL), schema=PostgresSchema(connection), functions_login=database.functions
        )
    return database
