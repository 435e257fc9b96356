"""The search index twice: in memory, and as the adapter over a PostgreSQL that migrate has prepared."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from functions.migrate.handler import SQL
from functions.migrate.usecase import migrate, migrations_in
from membus.adapters.postgres_memories import PostgresMemories
from membus.adapters.postgres_schema import PostgresSchema
from membus.adapters.postgres_tenants import TenantTransactions
from membus.ports.memories import MemoryIndex
from tests.fakes.embedder import WordEmbedder
from tests.fakes.memories import InMemoryMemories
from tests.integration.databases import Database, empty_database, postgres


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as database:
        yield database


@pytest.fixture(scope="session")
def database(server: Database) -> Database:
    """Return a database as Terraform's apply leaves it."""
    database = empty_database(server)
    with database.open(database.owner) as connection:
        migrate(migrations_in(SQL), schema=PostgresSchema(connection), functions_login=database.functions)
    return database


@pytest.fixture
def transactions(database: Database) -> Iterator[TenantTransactions]:
    with ExitStack() as opened:
        yield TenantTransactions(lambda: opened.enter_context(database.open(database.functions)))


@pytest.fixture(params=["fake", "postgres"])
def index(request: pytest.FixtureRequest) -> MemoryIndex:
    if request.param == "fake":
        return InMemoryMemories()
    return PostgresMemories(request.getfixturevalue("transactions"), model=WordEmbedder.name)


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """Return a tenant that no other test has: they share the database."""
    return f"t{abs(hash(request.node.nodeid)) % 10**10}"
