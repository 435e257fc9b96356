"""functions/migrate: the SQL files, their ledger and the functions' role on a real PostgreSQL."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from psycopg import sql

from functions.migrate.handler import SQL, handler
from functions.migrate.usecase import MigrationOutcome, apply_migrations, read_migrations
from membus.aws import clients
from membus.aws.postgres import connect_postgres
from membus.core.errors import ConflictError, InvalidError, UnavailableError
from membus.core.identity import DatabaseLogin
from membus.search.postgres_schema import PostgresSchema
from membus.search.schema import Migration
from tests.integration.databases import Database, empty_database, postgres

FILES = read_migrations(SQL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as database:
        yield database


@pytest.fixture
def empty(server: Database) -> Database:
    return empty_database(server)


def run(database: Database, migrations: list[Migration] = FILES) -> MigrationOutcome:
    with database.open(database.owner) as connection:
        return apply_migrations(
            migrations, schema=PostgresSchema(connection), functions_login=database.functions
        )


def test_migrating_again_changes_nothing(empty: Database) -> None:
    names = [migration.name for migration in FILES]

    assert run(empty) == {"applied": names, "version": names[-1]}
    assert run(empty) == {"applied": [], "version": names[-1]}


def test_two_at_once_apply_every_migration_once(empty: Database) -> None:
    slow = Migration("9999_slow", "SELECT pg_sleep(0.3); CREATE TABLE membus.once (n int)")
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: run(empty, [*FILES, slow]), range(2)))

    applied = sorted(name for outcome in outcomes for name in outcome["applied"])
    assert applied == sorted([*(migration.name for migration in FILES), "9999_slow"])


def test_a_file_changed_after_it_was_applied_is_refused_by_name(empty: Database) -> None:
    run(empty)
    edited, later = replace(FILES[0], sql=FILES[0].sql + "\n"), Migration("9999_later", "SELECT 1")

    with pytest.raises(ConflictError, match=FILES[0].name):
        run(empty, [edited, later])

    assert run(empty, [*FILES, later])["applied"] == ["9999_later"]


def test_a_migration_that_fails_leaves_nothing_behind_and_says_its_name(empty: Database) -> None:
    broken = Migration("9999_broken", "CREATE TABLE membus.half (n int); SELECT nonsense")

    with pytest.raises(InvalidError, match=r"9999_broken: column \"nonsense\" does not exist"):
        run(empty, [*FILES, broken])

    assert run(empty, [*FILES, replace(broken, sql="CREATE TABLE membus.half (n int)")])["applied"] == [
        "9999_broken"
    ]


def test_a_new_password_holds_from_the_next_run_on(empty: Database) -> None:
    rotated = replace(empty, functions=DatabaseLogin(empty.functions.username, "it's \\ new"))
    try:
        run(rotated)
        with rotated.open(rotated.functions) as connection:
            assert connection.info.user == "membus_app"
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="password authentication failed"):
            connect_postgres(empty.address, empty.functions, patience_seconds=30)
        assert time.monotonic() - started < 5  # refused, not asleep: no use in waiting
    finally:
        run(empty)


def test_no_statement_carries_the_password_into_the_servers_log(empty: Database) -> None:
    with empty.open(empty.superuser) as connection:
        setting = sql.SQL("ALTER DATABASE {} SET log_statement = 'all'")
        connection.execute(setting.format(sql.Identifier(empty.address.database)))
    run(empty)

    log = empty.log.read_text()
    assert 'ALTER ROLE "membus_app" LOGIN PASSWORD \'SCRAM-SHA-256$' in log
    assert empty.functions.password not in log


def test_a_functions_role_that_has_grown_powers_is_refused(empty: Database) -> None:
    grown = replace(empty, functions=DatabaseLogin("membus_grown", "secret"))
    with empty.open(empty.superuser) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} BYPASSRLS").format(sql.Identifier("membus_grown")))

    with pytest.raises(InvalidError, match="membus_grown"):
        run(grown)


def test_a_database_that_wakes_up_is_waited_for(server: Database) -> None:
    asleep = replace(server.address, port=1)
    slept = threading.Event()

    def wake(_: float) -> None:
        slept.set()
        object.__setattr__(asleep, "port", server.address.port)

    with connect_postgres(asleep, server.owner, patience_seconds=30, sleep=wake) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert slept.is_set()


def test_a_database_that_stays_away_is_named_when_patience_ends(server: Database) -> None:
    with pytest.raises(UnavailableError, match=r"no connection to 127\.0\.0\.1:1/postgres as membus_owner"):
        connect_postgres(replace(server.address, port=1), server.owner, patience_seconds=0)


def test_files_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("0010_b.sql", "0002_a.sql", "notes.txt"):
        (tmp_path / name).write_text("SELECT 1")

    assert [migration.name for migration in read_migrations(tmp_path)] == ["0002_a", "0010_b"]


class Context(LambdaContext):
    """What Lambda tells a function about its call."""

    _function_name = "membus-test-migrate"
    _memory_limit_in_mb = 256
    _invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:membus-test-migrate"
    _aws_request_id = "r-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 300_000


def test_the_function_finds_its_database_and_secrets_by_its_environment(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mock_aws():
        secrets = boto3.client("secretsmanager", region_name="us-east-1")
        for name, login in (("owner", empty.owner), ("app", empty.functions)):
            value = json.dumps({"username": login.username, "password": login.password})
            secrets.create_secret(Name=name, SecretString=value)
        environment = {
            "AWS_DEFAULT_REGION": "us-east-1",
            "POSTGRES_HOST": empty.address.host,
            "POSTGRES_PORT": str(empty.address.port),
            "POSTGRES_DATABASE": empty.address.database,
            "POSTGRES_SSLMODE": "prefer",
            "POSTGRES_OWNER_SECRET_ID": "owner",
            "POSTGRES_APP_SECRET_ID": "app",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        clients.forget_clients()
        outcome = handler({}, Context())
        clients.forget_clients()

    assert outcome == {"applied": [migration.name for migration in FILES], "version": FILES[-1].name}
