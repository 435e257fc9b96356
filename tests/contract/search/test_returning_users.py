"""A user who returns after an erasure is found at once, whatever of the erased user is still in progress."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from functions.index.projection import ProjectionSources
from functions.index.usecase import IndexPorts, index_changes
from membus.aws.postgres import TenantTransactions
from membus.core.erasure import Erasure, ErasureStep, erasure_subject
from membus.core.identity import Owner
from membus.erasure.guard import ErasureGuard
from membus.facts.fact import Fact
from membus.search.erasure import IndexEraser
from membus.search.indexer import Indexer
from membus.search.model import Removal
from membus.search.ports import MemoryIndex
from membus.search.postgres.store import PostgresMemories
from tests.factories import NOON, a_conversation, a_fact
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryEventBus, InMemoryPoisonMessages
from tests.fakes.facts import InMemoryFacts
from tests.support.memories import look

LATER = NOON + timedelta(days=1)
PORTO = "fact:ada:home.city"


@dataclass
class Told:
    """The index function, and the stream of one user's facts; `number` orders its records."""

    index: MemoryIndex
    owner: Owner
    number: int = 0
    erasures: InMemoryErasures = field(default_factory=InMemoryErasures)

    def fact(self, new: Fact | None, old: Fact | None, *, revision: int) -> dict[str, Any]:
        self.number += 1
        keys = {"pk": {"S": f"T#{self.owner.tenant}#U#{self.owner.user}"}, "sk": {"S": "FACT#home.city"}}
        images = {
            image: keys | {"body": {"S": fact.model_dump_json()}, "revision": {"N": str(revision)}}
            for image, fact in (("NewImage", new), ("OldImage", old))
            if fact
        }
        name = "REMOVE" if new is None else "INSERT"
        return {"eventName": name, "dynamodb": {"Keys": keys, **images, "SequenceNumber": str(self.number)}}

    def take(self, *records: dict[str, Any]) -> None:
        embedder = WordEmbeddingModel()
        ports = IndexPorts(
            indexer=Indexer(lambda _: embedder, self.index),
            index=self.index,
            bus=InMemoryEventBus(),
            poison_messages=InMemoryPoisonMessages(),
            erasures=ErasureGuard(self.erasures),
            monitor=FailingMonitor(),
            sources=ProjectionSources(
                InMemoryBlobs(), InMemoryFacts(), InMemoryConversations(lambda: NOON, a_conversation("c1"))
            ),
        )
        assert index_changes(records, ports) == []

    def erase(self) -> None:
        subject = erasure_subject(self.owner.tenant, self.owner.user)
        line = Erasure(tenant=self.owner.tenant, subject=subject, before=NOON + timedelta(hours=1))
        self.erasures.lines[self.owner.tenant, subject] = line


class FailingMonitor:
    """Nothing may be left to warn of."""

    def log_warning(self, message: str, **fields: object) -> None:
        raise AssertionError(message, fields)


@pytest.fixture
def told(index: MemoryIndex, tenant: str) -> Told:
    return Told(index, Owner(tenant=tenant, user="ada"))


OLD, NEW = a_fact("Lisbon", version=40), a_fact("Porto", event_id="e2", valid_from=LATER)


@pytest.mark.parametrize("order", ["removed first", "in one batch", "removed last"])
def test_first_fact_of_a_returning_user_is_found_at_once(told: Told, order: str) -> None:
    """The index may hear last of what the erasure removed: it stood still, or a dead letter came again."""
    told.take(told.fact(OLD, None, revision=57))
    told.erase()
    removed, learned = told.fact(None, OLD, revision=57), told.fact(NEW, None, revision=1)
    if order == "in one batch":
        told.take(removed, learned)
    else:
        for record in (removed, learned) if order == "removed first" else (learned, removed):
            told.take(record)

    assert look(told.index, "Porto", mode="text", tenant=told.owner.tenant) == [PORTO]
    assert look(told.index, "Lisbon", mode="text", tenant=told.owner.tenant) == []


def test_retracted_fact_of_a_returning_user_stays_away(told: Told) -> None:
    told.erase()
    told.take(
        told.fact(NEW, None, revision=1), told.fact(None, NEW, revision=2), told.fact(NEW, None, revision=1)
    )

    assert look(told.index, "Porto", tenant=told.owner.tenant) == []


def test_removal_from_before_an_erasure_hides_no_returning_user(told: Told) -> None:
    told.index.remove_memories([Removal(tenant_id=told.owner.tenant, memory_id=PORTO, version=57)])
    told.erase()

    told.take(told.fact(NEW, None, revision=1))

    assert look(told.index, "Porto", mode="text", tenant=told.owner.tenant) == [PORTO]


def test_removal_of_an_erased_user_leaves_no_record_with_their_name(
    transactions: TenantTransactions, tenant: str
) -> None:
    told = Told(
        PostgresMemories(transactions, model=WordEmbeddingModel.name), Owner(tenant=tenant, user="ada")
    )
    rows, beside = IndexEraser(transactions), Owner(tenant=tenant, user="ada:b")
    told.take(told.fact(OLD, None, revision=57), told.fact(None, OLD, revision=58))
    told.index.remove_memories(
        [Removal(tenant_id=beside.tenant, memory_id="fact:ada:b:home.city", version=2)]
    )
    assert [_marks(rows, owner) for owner in (told.owner, beside)] == [1, 1]

    told.erase()
    told.take(told.fact(None, OLD, revision=58))
    left = _marks(rows, told.owner)
    rows.erase(told.owner, ErasureStep(settled=True))

    assert left == 0
    assert _marks(rows, beside) == 1


def _marks(rows: IndexEraser, owner: Owner) -> int:
    return rows.count(owner, ErasureStep()).counts["index_marks"]
