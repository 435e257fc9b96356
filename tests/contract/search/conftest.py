"""The search index twice: in memory, and as the adapter over a PostgreSQL that migrate has prepared."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from membus.aws.postgres import TenantTransactions
from membus.search.ports import MemoryIndex
from membus.search.postgres.store import PostgresMemories
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.fakes.memories import InMemoryMemories
from tests.integration.databases import Database, migrated_database, postgres


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres(tmp_path_factory.mktemp("postgres")) as database:
        yield database


@pytest.fixture(scope="session")
def database(server: Database) -> Database:
    return migrated_database(server)


@pytest.fixture
def transactions(database: Database) -> Iterator[TenantTransactions]:
    with ExitStack() as opened:
        yield TenantTransactions(lambda: opened.enter_context(database.open(database.functions)))


@pytest.fixture(params=["fake", "postgres"])
def index(request: pytest.FixtureRequest) -> MemoryIndex:
    if request.param == "fake":
        return InMemoryMemories()
    return PostgresMemories(request.getfixturevalue("transactions"), model=WordEmbeddingModel.name)


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """Return a tenant that no other test has: they share the database."""
    return f"t{abs(hash(request.node.nodeid)) % 10**10}"
