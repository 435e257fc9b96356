"""The wall between tenants in Postgres: what the functions' role, and even the owner, can see and do."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.integration.databases import Database, migrated_database, postgres

TENANT = "SELECT set_config('membus.tenant_id', %s, true)"
INSERT = """
    INSERT INTO memories (
        tenant_id, scope, id, group_id, part, kind, text, embedded_text, content_hash, stems, occurred_at, version
    ) VALUES (%s, 'U#ada', %s, md5(random()::text), 0, 'fact', 'likes tea', 'likes tea', 'h', 'like tea', now(), 1)
"""


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield migrated_database(server)


def rows(
    connection: psycopg.Connection[tuple[Any, ...]], tenant: str | None, statement: str
) -> list[tuple[Any, ...]]:
    """Run one statement as the functions do: in a transaction that says whose data it may see."""
    with connection.transaction():
        if tenant is not None:
            connection.execute(TENANT, [tenant])
        return connection.execute(statement.encode()).fetchall()


def put(
    connection: psycopg.Connection[tuple[Any, ...]], memory_id: str, *, owner: str, acting_as: str
) -> None:
    with connection.transaction():
        connection.execute(TENANT, [acting_as])
        connection.execute(INSERT, [owner, memory_id])


def test_a_tenant_sees_its_own_rows_and_no_others(migrated: Database) -> None:
    with migrated.open(migrated.functions) as connection:
        put(connection, "m-1", owner="acme", acting_as="acme")
        put(
            connection, "m-1", owner="zeta", acting_as="zeta"
        )  # the same id, and no error that would betray it

        assert rows(connection, "acme", "SELECT DISTINCT tenant_id FROM memories") == [("acme",)]
        assert rows(connection, "nobody", "SELECT * FROM memories") == []


def test_without_a_tenant_nobody_sees_a_row_before_or_after_a_transaction_that_had_one(
    migrated: Database,
) -> None:
    with migrated.open(migrated.functions) as connection:
        assert rows(connection, None, "SELECT * FROM memories") == []
        put(connection, "m-2", owner="acme", acting_as="acme")
        assert rows(connection, None, "SELECT * FROM memories") == []
        assert rows(connection, "", "SELECT * FROM memories") == []


@pytest.mark.parametrize(("owner", "acting_as"), [("zeta", "acme"), ("zeta", ""), ("", "")])
def test_writing_a_row_of_another_tenant_or_of_none_is_refused(
    migrated: Database, owner: str, acting_as: str
) -> None:
    with (
        migrated.open(migrated.functions) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege) as refused,
    ):
        put(connection, "m-3", owner=owner, acting_as=acting_as)

    assert refused.value.sqlstate == "42501"


def test_another_tenants_rows_can_be_neither_changed_nor_deleted(migrated: Database) -> None:
    with migrated.open(migrated.functions) as connection:
        put(connection, "m-4", owner="zeta", acting_as="zeta")
        assert (
            rows(connection, "acme", "UPDATE memories SET text = '' WHERE tenant_id = 'zeta' RETURNING id")
            == []
        )
        assert rows(connection, "acme", "DELETE FROM memories WHERE tenant_id = 'zeta' RETURNING id") == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(connection, "zeta", "UPDATE memories SET tenant_id = 'acme' RETURNING id")


def test_the_owner_sees_nothing_either(migrated: Database) -> None:
    with migrated.open(migrated.functions) as connection:
        put(connection, "m-5", owner="acme", acting_as="acme")
    with migrated.open(migrated.owner) as connection:
        assert rows(connection, None, "SELECT * FROM membus.memories") == []


def test_the_functions_role_owns_nothing_and_cannot_bypass_the_wall(migrated: Database) -> None:
    with migrated.open(migrated.functions) as connection:
        (powers,) = rows(
            connection,
            None,
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles"
            " WHERE rolname = current_user",
        )
        assert not any(powers)
        assert (
            rows(
                connection,
                None,
                "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user",
            )
            == []
        )
        assert (
            rows(connection, None, "SELECT roleid FROM pg_auth_members WHERE member = current_user::regrole")
            == []
        )


@pytest.mark.parametrize(
    "attempt",
    [
        "SET row_security = off; SELECT * FROM memories",
        "ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_only ON memories",
        "TRUNCATE memories",
        "SELECT * FROM membus.migrations",
        "CREATE TABLE membus.mine (n int)",
        "CREATE TABLE public.mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "SET ROLE membus_owner",
        "ALTER ROLE membus_app BYPASSRLS",
    ],
)
def test_the_functions_role_is_refused_what_would_open_the_wall(migrated: Database, attempt: str) -> None:
    with migrated.open(migrated.functions) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(attempt.encode())


def test_vectors_and_words_can_be_searched_by_the_functions_role(migrated: Database) -> None:
    with migrated.open(migrated.functions) as connection:
        put(connection, "m-6", owner="words", acting_as="words")
        embed = """
            INSERT INTO vectors (tenant_id, model, id, scope, content_hash, embedding, kind, session, occurred_at)
            SELECT tenant_id, 'm', id, scope, content_hash, array_fill(0.1, ARRAY[1024])::halfvec, kind, session,
                occurred_at
            FROM memories
            RETURNING id
        """
        rows(connection, "words", embed)
        near = rows(
            connection,
            "words",
            "SELECT o.id FROM vectors m JOIN vectors o ON m.embedding <=> o.embedding < 0.1",
        )
        said = rows(connection, "words", "SELECT id FROM memories WHERE terms @@ 'like'::tsquery")

    assert near == said == [("m-6",)]
