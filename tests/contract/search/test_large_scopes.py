"""Large scopes: indexed while they serve searches, found by the index, dropped when small."""

from collections.abc import Iterator

import pytest

from functions.migrate.usecase import IndexMaintenanceReport, maintain_indexes
from membus.aws.postgres import TenantTransactions
from membus.search.model import FINAL_VERSION, Removal, memory_scope
from membus.search.ports import LargeScope
from membus.search.postgres.scope_indexes import PostgresScopeIndexes
from membus.search.postgres.search import CANDIDATES
from membus.search.postgres.store import PostgresMemories
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.integration.databases import Database
from tests.support.memories import a_memory, fill, look

ADA = memory_scope("ada", None)
LARGE = 30


@pytest.fixture
def indexes(database: Database) -> Iterator[PostgresScopeIndexes]:
    with database.open(database.owner) as connection:
        yield PostgresScopeIndexes(connection)


@pytest.fixture
def index(transactions: TenantTransactions) -> PostgresMemories:
    return PostgresMemories(transactions, model=WordEmbeddingModel.name)


def grow(index: PostgresMemories, tenant: str, count: int, **fields: object) -> None:
    fill(
        index,
        *(a_memory(f"m{number}", f"tea number {number}", tenant=tenant, **fields) for number in range(count)),
    )


def tended(indexes: PostgresScopeIndexes, tenant: str) -> IndexMaintenanceReport:
    """Tend to all, tell of this tenant's: other tests' scopes lie in the same database."""
    mine = {
        indexes.index_name(LargeScope(tenant, WordEmbeddingModel.name, memory_scope(user, None)))
        for user in ("ada", "bob")
    }
    done = maintain_indexes(indexes, at_least=LARGE)
    return {"made": sorted(mine & set(done["made"])), "dropped": sorted(mine & set(done["dropped"]))}


def test_scope_gets_its_index_when_it_is_large(
    index: PostgresMemories, indexes: PostgresScopeIndexes, tenant: str
) -> None:
    grow(index, tenant, LARGE - 1)
    assert tended(indexes, tenant)["made"] == []

    grow(index, tenant, LARGE)
    name = indexes.index_name(LargeScope(tenant, WordEmbeddingModel.name, ADA))
    assert tended(indexes, tenant) == {"made": [name], "dropped": []}
    assert tended(indexes, tenant) == {"made": [], "dropped": []}
    assert indexes.list_indexes()[name]


def test_index_of_a_scope_that_shrank_is_dropped(
    index: PostgresMemories, indexes: PostgresScopeIndexes, tenant: str
) -> None:
    grow(index, tenant, LARGE)
    (name,) = tended(indexes, tenant)["made"]
    index.remove_memories(
        [
            Removal(tenant_id=tenant, memory_id=f"m{number}", version=FINAL_VERSION)
            for number in range(LARGE // 2)
        ]
    )
    assert tended(indexes, tenant)["dropped"] == []

    index.remove_memories([Removal(tenant_id=tenant, memory_id=f"m{LARGE // 2}", version=FINAL_VERSION)])
    assert tended(indexes, tenant)["dropped"] == [name]


def test_scope_sizes_follow_writes_and_removals(
    index: PostgresMemories, indexes: PostgresScopeIndexes, tenant: str
) -> None:
    grow(index, tenant, 3)
    grow(index, tenant, 5)
    index.remove_memories([Removal(tenant_id=tenant, memory_id="m0", version=FINAL_VERSION)])
    mine = LargeScope(tenant, WordEmbeddingModel.name, ADA)

    assert mine in indexes.list_large_scopes(at_least=4)
    assert mine not in indexes.list_large_scopes(at_least=5)


def test_large_scope_gives_the_same_results_with_its_index(
    index: PostgresMemories, indexes: PostgresScopeIndexes, tenant: str
) -> None:
    grow(index, tenant, 150)
    numbers = range(0, 150, 10)

    for made in (False, True):
        assert bool(made and tended(indexes, tenant)["made"]) is made
        found = [look(index, f"tea number {number}", tenant=tenant, scope=ADA) for number in numbers]
        assert [names[0] for names in found] == [f"m{number}" for number in numbers]
        assert min(len(names) for names in found) >= CANDIDATES


def test_same_scope_of_another_tenant_is_never_searched(
    index: PostgresMemories, indexes: PostgresScopeIndexes, tenant: str
) -> None:
    grow(index, tenant, LARGE)
    fill(index, a_memory("theirs", "tea number 7", tenant=f"{tenant}x"))
    tended(indexes, tenant)

    assert look(index, "tea number 7", mode="vector", tenant=f"{tenant}x", scope=ADA) == ["theirs"]
    assert "theirs" not in look(index, "tea number 7", mode="vector", tenant=tenant, scope=ADA)
