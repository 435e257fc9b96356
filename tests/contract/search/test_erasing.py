"""A user's rows of the index are erased with vectors and removals; those of other users stay."""

from membus.aws.postgres import TenantTransactions
from membus.core.erasure import ErasureStep
from membus.core.identity import Owner
from membus.search.erasure import IndexEraser
from membus.search.model import Memory, Removal
from membus.search.postgres.store import PostgresMemories
from membus.search.retrieval import index_entry
from tests.factories import NOON

ADA, GRACE, OTHER_ADA = (
    Owner(tenant=tenant, user=user) for tenant, user in (("era", "ada"), ("era", "grace"), ("erb", "ada"))
)


def kept(index: PostgresMemories, owner: Owner, many: int) -> None:
    """Put so many memories, half of them with a vector, and remove one that was there before."""
    texts = [f"{owner.user} {number} likes tea" for number in range(many)]
    memories = [
        Memory(
            tenant_id=owner.tenant,
            memory_id=f"fact:{owner.user}:likes.{number}",
            kind="fact",
            user_id=owner.user,
            text=text,
            occurred_at=NOON,
        )
        for number, text in enumerate(texts)
    ]
    waiting = index.put(owner.tenant, [index_entry(memory) for memory in memories])
    index.attach_vectors(owner.tenant, {text: [1.0, *[0.0] * 1023] for text in waiting[: many // 2]})
    index.remove_memories(
        [Removal(tenant_id=owner.tenant, memory_id=f"fact:{owner.user}:likes.0", version=9)]
    )


def counted(rows: IndexEraser, owner: Owner) -> dict[str, int]:
    return dict(rows.count(owner, ErasureStep()).counts)


def test_rows_of_a_user_are_erased_in_batches_and_others_stay(transactions: TenantTransactions) -> None:
    index, rows = PostgresMemories(transactions, model="m"), IndexEraser(transactions)
    for owner in (ADA, GRACE, OTHER_ADA):
        kept(index, owner, 9)
    before = {owner: counted(rows, owner) for owner in (ADA, GRACE, OTHER_ADA)}
    assert before[ADA]["index_rows"] == 8
    assert before[ADA]["index_vectors"] > 0

    first = rows.erase(ADA, ErasureStep(time_left=lambda: False))
    again = rows.erase(ADA, ErasureStep(first.cursor or "", settled=True))

    assert first.cursor is not None
    assert (again.cursor, sum(again.counts.values())) == (None, 0)
    assert counted(rows, ADA) == {"index_rows": 0, "index_vectors": 0, "index_marks": 0}
    assert {owner: counted(rows, owner) for owner in (GRACE, OTHER_ADA)} == {
        owner: before[owner] for owner in (GRACE, OTHER_ADA)
    }
