"""The port MemoryIndex: a memory is found by its tenant, in its scope, in its newest version."""

from datetime import timedelta

import pytest

from membus.search.filters import parse_filter
from membus.search.indexer import Indexer
from membus.search.model import FINAL_VERSION, Removal, memory_scope
from membus.search.ports import MemoryIndex
from membus.search.retrieval import SearchScope
from tests.factories import NOON
from tests.fakes.embedding_model import WordEmbeddingModel, vector_of
from tests.support.memories import LATER, a_memory, fill, look

LONG = " ".join(
    f"Chapter {number} tells of the {animal} and its house by the sea."
    for number, animal in enumerate(
        ["heron", "otter", "badger", "lynx", "marten", "beaver", "stork", "adder", "newt", "vole"] * 3
    )
)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "text"])
def test_memory_that_answers_comes_first(index: MemoryIndex, tenant: str, mode: str) -> None:
    texts = {"m1": "Ada likes green tea", "m2": "the train leaves at noon", "m3": "rain in Lisbon"}
    fill(index, *(a_memory(name, text, tenant=tenant) for name, text in texts.items()))

    assert look(index, "who likes tea", mode=mode, tenant=tenant)[0] == "m1"


def test_search_by_words_finds_only_memories_with_one_of_them(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", "green tea", tenant=tenant), a_memory("m2", "black coffee", tenant=tenant))

    assert look(index, "teas", mode="text", tenant=tenant) == ["m1"]
    assert look(index, "water", mode="text", tenant=tenant) == []


def test_a_newer_version_replaces_all_passages_of_an_older_one(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", LONG, tenant=tenant, version=1))
    fill(index, a_memory("m1", "Only the owl is left.", tenant=tenant, version=2))

    assert look(index, "heron otter badger lynx", mode="text", tenant=tenant) == []
    assert look(index, "owl", mode="text", tenant=tenant) == ["m1"]


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 1, 2), (1, 2, 1)])
def test_the_newest_version_wins_in_whatever_order_copies_arrive(
    index: MemoryIndex, tenant: str, order: tuple[int, ...]
) -> None:
    texts = {1: "lives in Porto", 2: "lives in Lisbon"}
    for version in order:
        fill(index, a_memory("m1", texts[version], tenant=tenant, version=version))

    assert look(index, "Lisbon", mode="text", tenant=tenant) == ["m1"]
    assert look(index, "Porto", mode="text", tenant=tenant) == []


def test_removed_memory_stays_away_when_an_older_copy_arrives(index: MemoryIndex, tenant: str) -> None:
    memory = a_memory("m1", tenant=tenant, version=3)
    fill(index, memory)
    index.remove_memories([Removal(tenant_id=tenant, memory_id="m1", version=3)])
    fill(index, memory)

    assert look(index, "tea", tenant=tenant) == []
    fill(index, memory.model_copy(update={"version": 4}))
    assert look(index, "tea", tenant=tenant) == ["m1"]


def test_removal_spares_a_newer_version(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", tenant=tenant, version=5))
    index.remove_memories([Removal(tenant_id=tenant, memory_id="m1", version=4)])

    assert look(index, "tea", tenant=tenant) == ["m1"]


def test_a_final_removal_ends_every_version(index: MemoryIndex, tenant: str) -> None:
    index.remove_memories([Removal(tenant_id=tenant, memory_id="m1", version=FINAL_VERSION)])
    fill(index, a_memory("m1", tenant=tenant, version=10**12))

    assert look(index, "tea", tenant=tenant) == []


def test_no_text_is_embedded_twice(index: MemoryIndex, tenant: str) -> None:
    embedder = WordEmbeddingModel()
    fill(index, a_memory("m1", "tea", tenant=tenant), embedder=embedder)
    fill(
        index,
        a_memory("m2", "tea", tenant=tenant, kind="fact"),
        a_memory("m1", "tea", tenant=tenant),
        embedder=embedder,
    )

    assert embedder.asked == ["tea"]
    assert index.list_pending_texts(tenant, limit=10) == []
    assert set(index.get_vectors(tenant, ["tea", "coffee"])) == {"tea"}


def test_vector_of_another_tenant_is_not_reused(index: MemoryIndex, tenant: str) -> None:
    embedder = WordEmbeddingModel()
    fill(index, a_memory("m1", "tea", tenant=tenant), embedder=embedder)
    fill(index, a_memory("m1", "tea", tenant=f"{tenant}x"), embedder=embedder)

    assert embedder.asked == ["tea", "tea"]


def test_memory_without_a_vector_is_pending_and_found_by_its_terms(index: MemoryIndex, tenant: str) -> None:
    index.put(tenant, [])
    embedder = WordEmbeddingModel(refusing=frozenset({"green tea"}))
    fill(
        index,
        a_memory("m1", "green tea", tenant=tenant),
        a_memory("m2", "coffee", tenant=tenant),
        embedder=embedder,
    )

    assert index.find_pending_memories(tenant, ["m1", "m2"]) == {"m1"}
    assert index.list_pending_texts(tenant, limit=10) == ["green tea"]
    assert look(index, "tea", tenant=tenant)[0] == "m1"

    assert Indexer(lambda _: WordEmbeddingModel(), index).backfill_vectors(tenant) == 1
    assert index.find_pending_memories(tenant, ["m1", "m2"]) == set()


def test_changed_text_loses_its_old_vector(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", "tea", tenant=tenant))
    fill(index, a_memory("m1", "coffee", tenant=tenant, version=2), a_memory("m2", "bread", tenant=tenant))

    assert look(index, "coffee", mode="vector", tenant=tenant)[0] == "m1"


@pytest.mark.parametrize("moved", [timedelta(seconds=-1), timedelta(seconds=0)])
def test_expired_memory_is_never_seen(index: MemoryIndex, tenant: str, moved: timedelta) -> None:
    fill(index, a_memory("m1", tenant=tenant, expires_at=LATER + moved))

    assert look(index, "tea", tenant=tenant) == []
    assert look(index, "tea", tenant=tenant, now=LATER - timedelta(seconds=2)) == ["m1"]


def test_memory_that_expires_in_a_second_is_still_seen(index: MemoryIndex, tenant: str) -> None:
    fill(index, a_memory("m1", tenant=tenant, expires_at=LATER + timedelta(seconds=1)))

    assert look(index, "tea", tenant=tenant) == ["m1"]


def test_similar_documents_are_of_one_scope_and_match_in_every_passage(
    index: MemoryIndex, tenant: str
) -> None:
    fill(
        index,
        a_memory("m1", "Ada likes tea", tenant=tenant),
        a_memory("m2", "Ada likes coffee", tenant=tenant),
        a_memory("m3", "Ada likes tea", tenant=tenant, user_id="bob"),
        a_memory("m4", "Ada likes tea", tenant=tenant, kind="fact"),
        a_memory("m5", f"Ada likes tea. {LONG}", tenant=tenant),
        a_memory("m6", "Ada likes tea", tenant=tenant, expires_at=NOON),
    )
    wanted = [vector_of("Ada likes tea!")]

    assert index.find_similar_documents(
        tenant, memory_scope("ada", None), wanted, at_least=0.95, now=LATER
    ) == ["m1"]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_documents_are_listed_once_the_newest_first(index: MemoryIndex, tenant: str, limit: int) -> None:
    moments = {f"m{number}": NOON + timedelta(minutes=number // 2) for number in range(7)}
    fill(
        index, *(a_memory(name, LONG, tenant=tenant, occurred_at=moment) for name, moment in moments.items())
    )
    within = listing(tenant)
    listed: list[str] = []
    after: dict[str, str] | None = None
    for _ in range(10):
        page = index.list_documents(within, limit=limit, after=after)
        listed += page.items
        after = page.after
        if after is None:
            break

    assert listed == [f"m{number}" for number in reversed(range(7))]


def test_a_listing_takes_filters(index: MemoryIndex, tenant: str) -> None:
    fill(
        index,
        a_memory("m1", tenant=tenant, metadata={"n": 1}),
        a_memory("m2", tenant=tenant, metadata={"n": 2}),
    )

    page = index.list_documents(listing(tenant, filter=parse_filter({"n": {"gt": 1}})), limit=5, after=None)

    assert (page.items, page.after) == (("m2",), None)


def listing(tenant: str, **more: object) -> SearchScope:
    return SearchScope(tenant_id=tenant, now=LATER, kinds=("document",), **more)  # type: ignore[arg-type]
