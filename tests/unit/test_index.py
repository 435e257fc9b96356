"""functions/index: what the stream tells becomes searchable once, and listeners hear what became of facts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.index.projection import ProjectionSources
from functions.index.usecase import IndexPorts, index_changes
from membus.core.event import Event
from membus.erasure.guard import ErasureGuard
from membus.facts.fact import Fact
from membus.facts.observation import Trust
from membus.search.indexer import Indexer
from membus.search.memory_projection import project_event
from membus.search.model import Document
from tests.factories import ADA, NOON, a_conversation, a_fact, an_event, recorded, said
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryEventBus, InMemoryPoisonMessages
from tests.fakes.facts import InMemoryFacts
from tests.fakes.memories import InMemoryMemories
from tests.support.memories import look

OWNER_PK, DOC_PK = f"T#{ADA.tenant}#U#{ADA.user}", f"T#{ADA.tenant}#D#mem_1"
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Index:
    """The index function over in-memory parts."""

    def __init__(self, *, refusing: dict[str, str] | None = None) -> None:
        self.memories, self.embedder = InMemoryMemories(), WordEmbeddingModel()
        self.bus, self.quarantine, self.contents = (
            InMemoryEventBus(refusing),
            InMemoryPoisonMessages(),
            InMemoryBlobs(),
        )
        self.facts, self.conversations = (
            InMemoryFacts(),
            InMemoryConversations(lambda: NOON, a_conversation("c1")),
        )
        self.erasures = InMemoryErasures()
        self.failures: list[tuple[object, object]] = []
        self.unpaid: list[tuple[object, object]] = []

    @property
    def ports(self) -> IndexPorts:
        return IndexPorts(
            indexer=Indexer(lambda _: self.embedder, self.memories),
            index=self.memories,
            bus=self.bus,
            poison_messages=self.quarantine,
            sources=ProjectionSources(self.contents, self.facts, self.conversations),
            erasures=ErasureGuard(self.erasures),
            monitor=self,
        )

    def take(self, *records: dict[str, Any]) -> list[str]:
        return index_changes(records, self.ports)

    def log_warning(self, message: str, **fields: object) -> None:
        failed = self.failures if message == "changes come again" else self.unpaid
        failed.append((fields["tenant_id"], fields["code"]))

    def told(self) -> list[tuple[str, Any, Any]]:
        return [
            (event.type, event.payload["previous"], event.payload["value"]) for event in self.bus.published
        ]


@pytest.fixture
def index() -> Index:
    return Index()


def change(
    pk: str,
    sk: str,
    new: str | None,
    old: str | None = None,
    *,
    number: str = "1",
    ttl: bool = False,
    revisions: tuple[int, int] | None = None,
    **attributes: str,
) -> dict[str, Any]:
    """Return a record as a stream tells it: what was there before, and what is there now.

    `revisions` are the item's after and before it.
    """
    name = {(False, True): "INSERT", (True, True): "MODIFY", (True, False): "REMOVE"}[
        old is not None, new is not None
    ]
    images = {
        image: {
            "pk": {"S": pk},
            "sk": {"S": sk},
            "body": {"S": body},
            **{k: {"S": v} for k, v in attributes.items()},
        }
        for image, body in (("NewImage", new), ("OldImage", old))
        if body is not None
    }
    for image, revision in zip(("NewImage", "OldImage"), revisions or (), strict=False):
        if image in images:
            images[image]["revision"] = {"N": str(revision)}
    keys = {"pk": {"S": pk}, "sk": {"S": sk}}
    return {
        "eventID": number,
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, **images, "SequenceNumber": number, "ApproximateCreationDateTime": 1.0},
        **({"userIdentity": TTL} if ttl else {}),
    }


def of_fact(new: Fact | None, old: Fact | None = None, **more: Any) -> dict[str, Any]:
    known = new or old
    assert known
    bodies = [fact.model_dump_json() if fact else None for fact in (new, old)]
    return change(OWNER_PK, f"FACT#{known.key}", *bodies, **more)


def of_event(event: Event, *, removed: bool = False, **more: Any) -> dict[str, Any]:
    body = recorded(event).model_dump_json(by_alias=True)
    bodies = (None, body) if removed else (body, None)
    return change(f"T#{event.tenant_id}#A#{event.agent_id}#E#2026-03-01", "01J#e1", *bodies, **more)


def of_document(new: Document | None, old: Document | None = None, **more: Any) -> dict[str, Any]:
    return change(DOC_PK, "DOC", *(each.model_dump_json() if each else None for each in (new, old)), **more)


def a_document(text: str = "The key lies under the stone.", **fields: Any) -> Document:
    defaults = {
        "memory_id": "mem_1",
        "tenant_id": "acme",
        "text": text,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Document.model_validate(defaults | fields)


LISBON, PORTO = a_fact("Lisbon"), a_fact("Porto", event_id="e2", version=2)
RETRACTED = Fact.model_validate(dict(PORTO) | {"value": None, "trust": Trust.CORRECTED, "version": 3})


def test_a_fact_is_found_by_its_key_its_value_and_the_words_behind_it(index: Index) -> None:
    assert index.take(of_fact(LISBON)) == []

    for query in ("home city", "Lisbon", "where do I live"):
        assert look(index.memories, query) == ["fact:ada:home.city"]
    assert index.told() == [("fact.recorded", None, "Lisbon")]


def test_a_fact_that_changes_is_superseded_in_search_and_on_the_bus(index: Index) -> None:
    index.take(of_fact(LISBON), of_fact(PORTO, LISBON, number="2"))

    assert look(index.memories, "Porto", mode="text") == ["fact:ada:home.city"]
    assert look(index.memories, "Lisbon", mode="text") == []
    assert index.told() == [("fact.recorded", None, "Lisbon"), ("fact.superseded", "Lisbon", "Porto")]


def test_a_fact_that_was_merely_confirmed_is_no_news(index: Index) -> None:
    index.take(of_fact(a_fact("Lisbon", version=2), LISBON))

    assert index.told() == []


@pytest.mark.parametrize("gone", [of_fact(RETRACTED, PORTO), of_fact(None, PORTO)])
def test_a_fact_taken_back_or_removed_is_found_no_more(index: Index, gone: dict[str, Any]) -> None:
    index.take(of_fact(PORTO))
    index.take(gone)

    assert look(index.memories, "Porto") == []
    assert index.told()[1:] == [
        ("fact.retracted", "Porto", None if "NewImage" in gone["dynamodb"] else "Porto")
    ]


def test_a_fact_learned_again_after_it_was_taken_back_is_found_again(index: Index) -> None:
    again = a_fact("Faro", event_id="e4", version=4)
    index.take(of_fact(RETRACTED, PORTO), of_fact(again, RETRACTED, number="2"))

    assert look(index.memories, "Faro", mode="text") == ["fact:ada:home.city"]
    assert index.told()[-1] == ("fact.recorded", None, "Faro")


def test_copies_of_a_batch_change_nothing_and_tell_the_same_event(index: Index) -> None:
    batch = [of_fact(LISBON), of_fact(PORTO, LISBON, number="2"), of_event(said("hello there"), number="3")]
    for _ in range(3):
        assert index.take(*batch) == []

    assert index.embedder.asked.count("user: hello there") == 1
    assert len({event.event_id for event in index.bus.published}) == 2
    assert look(index.memories, "Porto", mode="text") == ["fact:ada:home.city"]


def test_what_was_said_is_an_episode_with_its_event_in_its_source(index: Index) -> None:
    index.take(of_event(said("I love hiking", "e9", session_id="s1")))

    assert look(index.memories, "hiking", session="s1", kinds=("episode",)) == ["event:ada/e9"]
    assert look(index.memories, "hiking", session="s2") == []
    assert index.told() == []


def test_a_turn_is_found_by_its_question_and_by_its_answer(index: Index) -> None:
    payload = {
        "conversation_id": "c1",
        "message_id": "m1",
        "user": {"text": "capital?"},
        "assistant": {"text": "Oslo"},
    }
    index.take(of_event(an_event("turn-m1", type="turn.recorded", payload=payload, session_id="c1")))

    assert look(index.memories, "capital", mode="text") == ["event:ada/turn-m1"]
    assert look(index.memories, "Oslo", mode="text") == ["event:ada/turn-m1:reply"]


def test_what_was_done_is_found_in_words(index: Index) -> None:
    index.take(of_event(an_event("e5", type="page.viewed", payload={"path": "/pricing", "blob": ["x"]})))

    assert look(index.memories, "pricing page", mode="text") == ["event:ada/e5"]


def test_an_episode_that_leaves_the_hot_tier_stays_and_one_that_is_erased_goes(index: Index) -> None:
    event = said("I love hiking", "e9")
    index.take(of_event(event))
    index.take(of_event(event, removed=True, ttl=True))
    assert look(index.memories, "hiking") == ["event:ada/e9"]

    index.take(of_event(event, removed=True), of_event(event, number="2"))
    assert index.take(of_event(event)) == []
    assert look(index.memories, "hiking") == []


def test_a_mark_of_the_archiver_is_not_read_again(index: Index) -> None:
    body = recorded(said("hello")).model_dump_json(by_alias=True)
    index.take(change("T#acme#A#default#E#2026-03-01", "01J#e1", body, body, archived_key="k"))

    assert index.embedder.asked == []


def test_a_large_payload_is_read_from_where_it_lies(index: Index) -> None:
    index.contents.put_text("episodes/acme/x", json.dumps({"text": "The long story of a lighthouse."}))
    index.take(of_event(an_event("e7", payload={}), spilled="episodes/acme/x"))

    assert look(index.memories, "lighthouse", mode="text") == ["event:ada/e7"]


def test_documents_come_change_and_go(index: Index) -> None:
    first = a_document()
    second = a_document("The key is with the neighbour.", version=2, updated_at=NOON.replace(minute=1))
    gone = second.model_copy(
        update={"deleted": True, "text": "", "version": 3, "updated_at": NOON.replace(minute=2)}
    )
    index.take(of_document(first))
    assert look(index.memories, "stone", mode="text") == ["mem_1"]
    index.take(of_document(second, first), of_document(first))
    assert look(index.memories, "stone", mode="text") == []
    index.take(of_document(gone, second), of_document(second, first))
    assert look(index.memories, "key") == []


def test_an_expired_document_leaves_the_index_and_may_be_put_again(index: Index) -> None:
    index.take(of_document(a_document()), of_document(None, a_document(), ttl=True))
    assert look(index.memories, "key") == []

    index.take(of_document(a_document(updated_at=NOON.replace(minute=1))))
    assert look(index.memories, "key") == ["mem_1"]


def test_a_text_that_lies_elsewhere_is_indexed_from_there_and_goes_with_its_item(index: Index) -> None:
    index.contents.put_text("documents/acme/1", "The key lies under the stone.")
    index.take(of_document(a_document(text=""), spilled="documents/acme/1"))
    assert look(index.memories, "key") == ["mem_1"]

    index.take(of_document(None, a_document(text=""), ttl=True, spilled="documents/acme/1"))
    assert (look(index.memories, "key"), index.contents.kept) == ([], {})


def test_a_text_that_was_replaced_meanwhile_is_left_to_its_newer_change(index: Index) -> None:
    assert index.take(of_document(a_document(text=""), spilled="documents/acme/gone")) == []
    assert (look(index.memories, "key"), index.quarantine.parked) == ([], [])


def test_without_the_model_changes_hold_up_no_stream_and_are_found_by_their_words(index: Index) -> None:
    index.embedder.away = True

    assert index.take(of_fact(LISBON, number="7")) == []

    assert look(index.memories, "Lisbon", mode="text") == ["fact:ada:home.city"]
    assert index.told() == [("fact.recorded", None, "Lisbon")]
    assert (index.unpaid, index.failures) == ([("acme", "vectors_pending")], [])


def test_the_next_change_of_a_tenant_brings_the_vectors_that_waited(index: Index) -> None:
    index.embedder.away = True
    index.take(of_fact(LISBON, number="7"))
    assert index.memories.list_pending_texts("acme", limit=9) != []
    index.embedder.away = False

    assert index.take(of_event(said("hi", "e3"), number="8")) == []

    assert index.memories.list_pending_texts("acme", limit=9) == []


def test_a_rebuild_waits_for_the_model(index: Index) -> None:
    index.embedder.away = True

    assert index_changes([of_fact(LISBON, number="7")], replace(index.ports, bus=None)) == ["7"]


def test_without_money_changes_are_found_by_their_words_and_hold_up_nothing(index: Index) -> None:
    index.embedder.unpaid = True

    assert index.take(of_fact(LISBON), of_fact(PORTO, LISBON, number="2")) == []

    assert look(index.memories, "Porto", mode="text") == ["fact:ada:home.city"]
    assert index.unpaid == [("acme", "budget_exhausted")]
    assert index.failures == []


def test_without_the_index_nothing_is_lost_and_facts_are_still_told(index: Index) -> None:
    index.memories.away = True

    assert index.take(of_fact(LISBON, number="7")) == ["7"]
    assert index.told() == [("fact.recorded", None, "Lisbon")]
    assert [tenant for tenant, _ in index.failures] == ["acme"]


def test_an_announcement_that_the_bus_refuses_comes_again() -> None:
    index = Index(refusing={"*": "InternalFailure"})

    assert index.take(of_fact(LISBON, number="7"), of_event(said("hi", "e3"), number="8")) == ["7"]


@pytest.mark.parametrize(
    "record",
    [
        change(OWNER_PK, "FACT#x", "no json"),
        change(DOC_PK, "DOC", '{"text": 1}'),
        change("T#a#A#b#E#c", "x", "{}"),
    ],
)
def test_a_change_that_nobody_can_read_is_parked_and_holds_up_nothing(
    index: Index, record: dict[str, Any]
) -> None:
    assert index.take(record, of_fact(LISBON, number="2")) == []

    assert len(index.quarantine.parked) == 1
    assert look(index.memories, "Lisbon", mode="text") == ["fact:ada:home.city"]


@pytest.mark.parametrize("kind", ["fact.corrected", "fact.retracted"])
def test_a_correction_by_hand_is_no_memory(kind: str) -> None:
    payload = {"key": "home.city", "value": "Lisbon", "kind": "place"}

    assert project_event(an_event("e1", type=kind, payload=payload)) == []
