"""Two embedding models: the second is backfilled while the first serves, and then takes over."""

from membus.aws.postgres import TenantTransactions
from membus.search.indexer import Indexer
from membus.search.postgres.store import PostgresMemories
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.integration.databases import Database
from tests.support.memories import a_memory, fill, look


def test_second_embedding_model_is_backfilled_beside_the_first(
    transactions: TenantTransactions, tenant: str
) -> None:
    first, second = (PostgresMemories(transactions, model=model) for model in ("words", "words-2"))
    fill(first, *(a_memory(f"m{number}", f"tea number {number}", tenant=tenant) for number in range(150)))
    newer = WordEmbeddingModel()
    filler = Indexer(lambda _: newer, second)

    counts = [filler.backfill_vectors(tenant) for _ in range(4)]

    assert counts == [64, 64, 22, 0]
    assert len(newer.asked) == 150
    for index in (first, second):
        assert look(index, "tea number 7", mode="vector", tenant=tenant)[0] == "m7"


def test_changed_text_is_pending_for_both_models(transactions: TenantTransactions, tenant: str) -> None:
    first, second = (PostgresMemories(transactions, model=model) for model in ("words", "words-2"))
    for index in (first, second):
        fill(index, a_memory("m1", "tea", tenant=tenant))
    fill(first, a_memory("m1", "coffee", tenant=tenant, version=2))

    assert (first.list_pending_texts(tenant, limit=5), second.list_pending_texts(tenant, limit=5)) == (
        [],
        ["coffee"],
    )


def test_each_row_names_its_model_and_dimensions(
    database: Database, transactions: TenantTransactions
) -> None:
    fill(PostgresMemories(transactions, model="words"), a_memory(tenant="dims"))
    with database.open(database.superuser) as operator:
        row = operator.execute(
            "SELECT model, dimensions FROM membus.vectors WHERE tenant_id = 'dims'"
        ).fetchone()

    assert row == ("words", 1024)
