"""Filters: the same rows pass in Python and in Postgres, whatever names, values and metadata hold."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from membus.core.errors import InvalidError
from membus.search.filters import parse_filter
from membus.search.ports import MemoryIndex
from membus.search.retrieval import SearchScope
from tests.fakes.memories import InMemoryMemories
from tests.support.memories import LATER, a_memory, fill, look, shown

METADATA: dict[str, dict[str, Any]] = {
    "plain": {"lang": "en", "stars": 3, "tags": ["red", "a%b"], "deep": {"er": {"n": 1.5}}, "ok": True},
    "other": {"lang": "de", "stars": 10, "tags": [], "note": "100%_sure", "ok": False, "stars2": "3"},
    "odd": {"lang": "e_", "stars": "3", "tags": "red", "deep": {"er": "x"}, "ok": 1, "nothing": None},
    "dotted": {"a.b": 1, "and": "x", "c": {"d.e": 2}, "f\\g": 3, "user_id": "u7"},
    "nested": {"a": {"b": 1}, "$or": "y"},
    "empty": {},
}
CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({"lang": "en"}, {"plain"}),
    ({"lang": {"eq": "e%"}}, set()),
    ({"lang": {"ne": "en"}}, {"other", "odd", "dotted", "nested", "empty"}),
    ({"lang": {"in": ["en", "de"]}}, {"plain", "other"}),
    ({"lang": {"in": []}}, set()),
    ({"stars": {"gt": 3}}, {"other"}),
    ({"stars": {"gte": 3, "lt": 10}}, {"plain"}),
    ({"stars": {"lte": "3"}}, {"odd"}),
    ({"lang": {"gt": "de"}}, {"plain", "odd"}),
    ({"note": {"contains": "0%_s"}}, {"other"}),
    ({"note": {"contains": "0_%"}}, set()),
    ({"tags": {"contains": "red"}}, {"plain", "odd"}),
    ({"tags": {"contains": "%"}}, set()),
    ({"note": {"exists": True}}, {"other"}),
    ({"nothing": {"exists": True}}, {"odd"}),
    ({"nothing": None}, {"odd"}),
    ({"deep.er.n": 1.5}, {"plain"}),
    ({"deep.er.n": {"exists": False}}, {"other", "odd", "dotted", "nested", "empty"}),
    ({"ok": True}, {"plain"}),
    ({"ok": 1}, {"odd"}),
    ({"not": {"lang": "en"}}, {"other", "odd", "dotted", "nested", "empty"}),
    ({"not": {"note": {"contains": "sure"}}}, {"plain", "odd", "dotted", "nested", "empty"}),
    ({"or": [{"lang": "en"}, {"and": [{"stars": 10}, {"not": {"ok": True}}]}]}, {"plain", "other"}),
    ({"tags.0": "red"}, set()),
    ({"'; DROP TABLE memories; --": "x"}, set()),
    ({"lang": {"contains": "\\"}}, set()),
    ({"a.b": 1}, {"dotted", "nested"}),
    ({"a\\.b": 1}, {"dotted"}),
    ({"c.d\\.e": 2}, {"dotted"}),
    ({"c.d.e": 2}, set()),
    ({"f\\\\g": 3}, {"dotted"}),
    ({"\\and": "x"}, {"dotted"}),
    ({"\\$or": "y"}, {"nested"}),
    ({"\\user_id": "u7"}, {"dotted"}),
]


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
def test_users_left_out_are_not_seen_however_many_memories_they_have(
    index: MemoryIndex, tenant: str, mode: str
) -> None:
    fill(index, *(a_memory(f"ada{number}", "tea", tenant=tenant) for number in range(30)))
    fill(
        index,
        a_memory("bobs", "tea", tenant=tenant, user_id="bob"),
        a_memory("all", "tea", tenant=tenant, user_id=None),
    )

    assert set(look(index, "tea", tenant=tenant, mode=mode, without=frozenset({"ada", "eve"}))) == {
        "bobs",
        "all",
    }
    assert look(index, "tea", tenant=tenant, mode=mode, scope="U#ada", without=frozenset({"ada"})) == []
    within = SearchScope(tenant_id=tenant, now=LATER, kinds=("document",), without=frozenset({"ada"}))
    assert set(index.list_documents(within, limit=50, after=None).items) == {"bobs", "all"}


@pytest.mark.parametrize(("tree", "wanted"), CASES, ids=[str(tree) for tree, _ in CASES])
def test_filter_passes_matching_memories(
    index: MemoryIndex, tenant: str, tree: dict[str, Any], wanted: set[str]
) -> None:
    fill(index, *(a_memory(name, "tea", tenant=tenant, metadata=data) for name, data in METADATA.items()))

    assert set(look(index, "tea", tenant=tenant, filter=parse_filter(tree))) == wanted


def test_filtered_search_returns_the_requested_number_of_results(index: MemoryIndex, tenant: str) -> None:
    fill(
        index,
        *(
            a_memory(f"m{n:03d}", f"tea number {n}", tenant=tenant, metadata={"rare": n % 30 == 0})
            for n in range(300)
        ),
    )

    assert len(look(index, "coffee", tenant=tenant, mode="vector", filter=parse_filter({"rare": True}))) == 10


@pytest.mark.parametrize(
    "tree",
    [
        {"a": {"like": "x"}},
        {"and": []},
        {"and": {"a": 1}},
        {"or": "x"},
        {"not": []},
        {"not": {}},
        {"a": {}},
        {"a": {"in": "x"}},
        {"a": {"exists": 1}},
        {"a": {"gt": None}},
        {"a": {"contains": {}}},
        {"AND": [{"a": 1}]},
        {"$and": [{"a": 1}]},
        {"Not": {"a": 1}},
        {"$where": "x"},
        {"user_id": "ada"},
        {"occurred_at": {"gt": "2026"}},
        {"a": {"$gt": 1}},
        {"": 1},
        {"a..b": 1},
        {"a.": 1},
        {"a\\": 1},
        {"a\0": 1},
        {"a": "\0"},
        {"a": {"in": list(range(101))}},
        {".".join("abcdefghi"): 1},
    ],
)
def test_malformed_filter_is_rejected(tree: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_filter(tree)

    assert refused.value.code == "bad_filter"


def test_a_filter_too_deep_or_too_long_is_refused() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(9):
        deep = {"not": deep}
    for tree in (deep, {"or": [{"a": number} for number in range(65)]}):
        with pytest.raises(InvalidError):
            parse_filter(tree)


NAMES = st.sampled_from(["a", "b", "a.b", "%", "_", "c d", "a\\.b", "\\or"])
SCALARS = st.one_of(
    st.booleans(), st.integers(-2, 2), st.sampled_from(["", "a", "%", "_", "a_b", "\\", "'", "ä", "B"])
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.none(), st.dictionaries(st.sampled_from("ab"), SCALARS)
)
ORDERED = st.one_of(st.integers(-2, 2), st.sampled_from(["", "a", "B", "ä", "_"]))
CONDITIONS = st.one_of(
    st.builds(lambda name, value: {name: {"eq": value}}, NAMES, VALUES),
    st.builds(lambda name, value: {name: {"ne": value}}, NAMES, VALUES),
    st.builds(lambda name, values: {name: {"in": values}}, NAMES, st.lists(VALUES, max_size=3)),
    st.builds(
        lambda name, op, value: {name: {op: value}},
        NAMES,
        st.sampled_from(["gt", "gte", "lt", "lte"]),
        ORDERED,
    ),
    st.builds(lambda name, value: {name: {"contains": value}}, NAMES, SCALARS),
    st.builds(lambda name, value: {name: {"exists": value}}, NAMES, st.booleans()),
)
TREES = st.recursive(
    CONDITIONS,
    lambda tree: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(tree, min_size=1, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(tree, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, tree),
    ),
    max_leaves=5,
)
RECORDS = st.dictionaries(st.sampled_from(["a", "b", "%", "_", "c d", "a.b", "or"]), VALUES, max_size=4)


@pytest.mark.parametrize("index", ["postgres"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES, records=st.lists(RECORDS, min_size=1, max_size=5))
def test_postgres_and_python_agree_on_any_filter(
    index: MemoryIndex, tree: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    memory = InMemoryMemories()
    memories = [a_memory(f"m{n}", "tea", tenant="agree", metadata=each) for n, each in enumerate(records)]
    for store in (memory, index):
        fill(store, *memories)
    within = SearchScope(tenant_id="agree", now=LATER, filter=parse_filter(tree))

    seen = [shown(store.search(within, terms=("tea",), vector=None)) for store in (memory, index)]
    mine = {each.memory_id for each in memories}

    assert seen[0] == seen[1] & mine
