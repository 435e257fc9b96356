"""functions/migrate, inspecting.

Open tables, powers of the functions' role and missing migrations are told.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import LiteralString

import pytest
from psycopg import sql

from functions.migrate.handler import SQL
from functions.migrate.usecase import SchemaReport, inspect_schema, read_migrations
from membus.search.postgres_schema import PostgresSchema
from membus.search.schema import Migration
from tests.integration.databases import Database, migrated_database, postgres

FILES = read_migrations(SQL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as database:
        yield database


@pytest.fixture
def database(server: Database) -> Database:
    return migrated_database(server)


def report(database: Database, files: list[Migration] = FILES, *, role: str = "membus_app") -> SchemaReport:
    with database.open(database.owner) as connection:
        return inspect_schema(files, schema=PostgresSchema(connection), functions_role=role)


def change(database: Database, *statements: LiteralString) -> None:
    with database.open(database.superuser) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement))


def test_a_schema_as_it_should_be_has_nothing_to_tell(database: Database) -> None:
    found = report(database)

    assert (found["unwalled"], found["powers"], found["pending"], found["changed"]) == ([], [], [], [])
    assert {"memories", "removals", "vectors"} <= set(found["walled"])
    assert found["version"] == FILES[-1].name


@pytest.mark.parametrize(
    "opened",
    [
        "ALTER TABLE membus.memories DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE membus.memories NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant_only ON membus.memories",
    ],
)
def test_a_table_that_one_switch_opens_is_told(database: Database, opened: LiteralString) -> None:
    change(database, opened)

    assert report(database)["unwalled"] == ["memories"]


def test_a_new_table_of_tenants_without_a_wall_is_told(database: Database) -> None:
    change(database, "CREATE TABLE membus.notes (tenant_id text)", "CREATE TABLE membus.colours (name text)")

    assert report(database)["unwalled"] == ["notes"]


def test_every_power_of_the_functions_role_is_told(database: Database) -> None:
    role: LiteralString = "membus_inspected"
    assert report(database, role=role)["powers"] == ["does not exist"]
    change(
        database,
        "CREATE ROLE membus_inspected BYPASSRLS CREATEDB",
        "GRANT pg_read_all_data TO membus_inspected",
        "CREATE TABLE membus.own (n int)",
        "ALTER TABLE membus.own OWNER TO membus_inspected",
    )

    assert report(database, role=role)["powers"] == [
        "bypasses row security",
        "makes databases",
        "owns tables or schemas",
        "is a member of another role",
    ]


def test_migrations_that_are_missing_or_other_are_told(database: Database) -> None:
    other = replace(FILES[0], sql=FILES[0].sql + "\n")

    found = report(database, [other, *FILES[1:], Migration("9999_later", "SELECT 1")])

    assert (found["pending"], found["changed"]) == (["9999_later"], [FILES[0].name])
