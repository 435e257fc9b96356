"""Behind a pooler in transaction mode, which hands one connection from client to client, nothing of a client stays."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from membus.aws.postgres import TenantTransactions
from membus.search.model import Removal
from membus.search.postgres.store import PostgresMemories
from tests.integration.databases import Database, migrated_database, postgres
from tests.support import pgbouncer
from tests.support.memories import a_memory, fill, look

CLIENTS, TURNS = 6, 12
TENANT = "SELECT set_config('membus.tenant_id', %s, true)"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield migrated_database(server)


@pytest.fixture(scope="module")
def pool(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return the database behind a pooler that has one connection for everybody."""
    with pgbouncer.pooled(database, tmp_path_factory.mktemp("pgbouncer"), connections=1) as front:
        yield front


def test_clients_of_many_tenants_on_one_connection_each_see_their_own(pool: Database) -> None:
    def turns(client: int) -> set[str]:
        seen: set[str] = set()
        with ExitStack() as opened:
            index = PostgresMemories(
                TenantTransactions(lambda: opened.enter_context(pool.open(pool.functions))), model="words"
            )
            for turn in range(TURNS):
                tenant = f"tenant{(client + turn) % CLIENTS}"
                fill(index, a_memory(f"{tenant}-{client}-{turn}", f"tea of {tenant}", tenant=tenant))
                seen |= {
                    f"{tenant} sees {found.split('-')[0]}" for found in look(index, "tea", tenant=tenant)
                }
                index.remove_memories(
                    [Removal(tenant_id=tenant, memory_id=f"{tenant}-{client}-{turn}", version=1)]
                )
        return seen

    with ThreadPoolExecutor(CLIENTS) as clients:
        seen = set().union(*clients.map(turns, range(CLIENTS)))

    assert seen == {f"tenant{number} sees tenant{number}" for number in range(CLIENTS)}


def test_the_next_client_finds_no_tenant_no_row_and_no_prepared_statement(pool: Database) -> None:
    with pool.open(pool.functions) as first, pool.open(pool.functions) as second:
        index = PostgresMemories(TenantTransactions(lambda: first), model="words")
        for number in range(20):  # many times the same statements: a driver would prepare them now
            fill(index, a_memory(f"m{number}", tenant="first"))
            look(index, "tea", tenant="first")

        same = (
            first.execute("SELECT pg_backend_pid()").fetchone()
            == second.execute("SELECT pg_backend_pid()").fetchone()
        )
        tenant = second.execute("SELECT coalesce(current_setting('membus.tenant_id', true), '')").fetchone()
        rows = second.execute("SELECT count(*) FROM memories").fetchone()
        vectors = second.execute("SELECT count(*) FROM vectors").fetchone()
        prepared = second.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()

    assert (same, tenant, rows, vectors, prepared) == (True, ("",), (0,), (0,), (0,))


def test_a_client_that_dies_inside_its_transaction_leaves_nothing_to_the_next(pool: Database) -> None:
    dying = pool.open(pool.functions)
    dying.execute("BEGIN")
    dying.execute(TENANT, ["first"])
    assert dying.execute("SELECT count(*) > 0 FROM memories").fetchone() == (True,)
    dying.pgconn.finish()

    with pool.open(pool.functions) as following:
        assert following.execute("SELECT count(*) FROM memories").fetchone() == (0,)
        with following.transaction():
            following.execute(TENANT, ["nobody"])
            assert following.execute("SELECT count(*) FROM memories").fetchone() == (0,)
