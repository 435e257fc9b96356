"""The number of pending texts of a scope, which every search of it reports."""

from datetime import timedelta

import pytest

from functions.migrate.usecase import embedding_wait_seconds
from membus.aws.postgres import TenantTransactions
from membus.search.model import FINAL_VERSION, Memory, Removal, memory_scope
from membus.search.ports import MemoryIndex
from membus.search.postgres.scope_indexes import PostgresScopeIndexes
from membus.search.postgres.store import PostgresMemories
from membus.search.retrieval import SearchScope, index_entry
from tests.fakes.embedding_model import vector_of
from tests.integration.databases import Database
from tests.support.memories import LATER, a_memory, fill


def pending(
    index: MemoryIndex, tenant: str, user: str | None = "ada", *, terms: tuple[str, ...] = ("tea",)
) -> int | None:
    scope = memory_scope(user, None) if user else None
    return index.search(
        SearchScope(tenant_id=tenant, now=LATER, scope=scope), terms=terms, vector=None
    ).pending


def put(index: MemoryIndex, *memories: Memory) -> list[str]:
    return index.put(memories[0].tenant_id, [index_entry(memory) for memory in memories])


def test_text_is_pending_until_it_has_a_vector(index: MemoryIndex, tenant: str) -> None:
    assert pending(index, tenant) == 0

    waiting = put(
        index, a_memory("m1", "green tea", tenant=tenant), a_memory("m2", "black tea", tenant=tenant)
    )
    assert pending(index, tenant) == 2
    assert pending(index, tenant, terms=()) == 2

    index.attach_vectors(tenant, {waiting[0]: vector_of(waiting[0])})
    assert pending(index, tenant) == 1
    index.attach_vectors(tenant, {waiting[1]: vector_of(waiting[1])})
    assert pending(index, tenant) == 0


def test_search_counts_pending_texts_of_its_own_scope(index: MemoryIndex, tenant: str) -> None:
    put(
        index, a_memory("m1", "green tea", tenant=tenant), a_memory("m2", "tea", tenant=tenant, user_id="bob")
    )
    put(index, a_memory("m1", "green tea", tenant=f"{tenant}x"))

    assert (pending(index, tenant), pending(index, tenant, "bob"), pending(index, tenant, "ada1")) == (
        1,
        1,
        0,
    )
    assert pending(index, tenant, None) is None


def test_removed_replaced_or_moved_text_is_no_longer_pending(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", "green tea", tenant=tenant, version=1))
    put(
        index,
        a_memory("m1", "white tea", tenant=tenant, version=2),
        a_memory("m2", "black tea", tenant=tenant),
    )
    assert pending(index, tenant) == 2

    put(index, a_memory("m1", "green tea", tenant=tenant, version=3))
    put(index, a_memory("m2", "black tea", tenant=tenant, user_id="bob", version=2))
    index.remove_memories([Removal(tenant_id=tenant, memory_id="m2", version=FINAL_VERSION)])
    assert pending(index, tenant, "bob") == 0
    index.remove_memories([Removal(tenant_id=tenant, memory_id="m1", version=FINAL_VERSION)])
    assert pending(index, tenant) == 0


@pytest.mark.parametrize("user", ["ada", "bob"])
def test_pending_texts_are_counted_for_each_model(
    transactions: TenantTransactions, tenant: str, user: str
) -> None:
    first, second = (PostgresMemories(transactions, model=model) for model in ("first", "second"))
    fill(first, a_memory("m1", "green tea", tenant=tenant, user_id=user))

    assert (pending(first, tenant, user), pending(second, tenant, user)) == (0, 1)


def test_schema_owner_sees_the_age_of_the_oldest_pending_text(
    database: Database, transactions: TenantTransactions, tenant: str
) -> None:
    index = PostgresMemories(
        transactions, model=tenant
    )  # a model of its own: no other test's texts are behind for less
    with database.open(database.owner) as connection:
        indexes = PostgresScopeIndexes(connection)
        (waiting,) = put(index, a_memory("m1", "green tea", tenant=tenant))
        since = indexes.oldest_pending_time(tenant)
        assert since
        assert (
            embedding_wait_seconds(indexes, model=tenant, now=since + timedelta(hours=7))
            == timedelta(hours=7).total_seconds()
        )

        for other in {row[0] for row in connection.execute("SELECT tenant_id FROM membus.scopes")}:
            mine = PostgresMemories(transactions, model=tenant)
            mine.attach_vectors(
                other, {text: vector_of(text) for text in mine.list_pending_texts(other, limit=10_000)}
            )
        assert waiting
        assert embedding_wait_seconds(indexes, model=tenant, now=since) == 0
