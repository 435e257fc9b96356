"""membus.facts.attributes: the same fact said twice has one key, two facts have two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from membus.facts.attributes import (
    SINGLE_VALUED,
    SLUG_MAX,
    SYNONYMS,
    FactKey,
    canonical_key,
    fact_key,
    slugify,
)

KEY: TypeAdapter[str] = TypeAdapter(FactKey)


@pytest.mark.parametrize(
    ("attribute", "value", "key"),
    [
        ("home.city", "Lisbon", "home.city"),
        (" Home.City ", "Lisbon", "home.city"),
        ("work role", "nurse", "work_role.nurse"),
        ("likes", "Hiking", "likes.hiking"),
        ("likes", "the  HIKING!", "likes.hiking"),
        ("likes", "green tea", "likes.green-tea"),
        ("likes", "Crème brûlée", "likes.crème-brûlée"),
        ("likes", "麻婆豆腐", "likes.麻婆豆腐"),
        ("family.sister", "Eva", "family.sister.eva"),
        ("setting.theme", "dark", "setting.theme"),
        ("likes", "C++", "likes.c-cedb1bac"),
        ("likes", "!!!", "likes.e84c538e"),
        ("likes", "the", "likes.the"),
        ("likes", "", None),
        ("", "x", None),
        ("likes#U", "x", None),
        ("likes..x", "x", None),
        (".likes", "x", None),
        ("1likes", "x", None),
        ("a.b.c.d.e", "x", None),
        ("liKes/../x", "x", None),
        ("a" * 300, "x", None),
        ("setting." + "a" * 300, "x", None),
    ],
)
def test_an_attribute_and_a_value_make_a_key(attribute: str, value: str, key: str | None) -> None:
    assert fact_key(attribute, value) == key


@pytest.mark.parametrize("attribute", sorted(SINGLE_VALUED))
def test_a_single_valued_attribute_is_its_own_key(attribute: str) -> None:
    assert fact_key(attribute, "one") == fact_key(attribute, "two") == attribute


@given(st.text(max_size=40), st.text(max_size=250))
def test_every_key_is_one_that_a_fact_may_have(attribute: str, value: str) -> None:
    for path in (attribute, "likes", "family.sister", f"setting.{attribute}"):
        key = fact_key(path, value)
        assert key is None or KEY.validate_python(key) == key


@given(st.text(max_size=250))
def test_a_slug_is_short_lower_and_stable(value: str) -> None:
    slug = slugify(value)

    assert len(slug) <= SLUG_MAX
    assert "#" not in slug
    assert " " not in slug
    assert slugify(value.upper()) == slugify(value.upper().lower())


def test_long_values_that_differ_at_their_end_are_two_facts() -> None:
    start = "visit my grandmother in Lisbon on the first weekend of the month of "

    assert fact_key("plan", f"{start}May") != fact_key("plan", f"{start}June")
    assert fact_key("plan", f"{start}May") == fact_key("plan", f"{start}  MAY!")


@pytest.mark.parametrize(
    ("one", "other"),
    [("मोर", "मीर"), ("น้ำ", "นา"), ("كَلب", "كُلب"), ("café", "cafe")],
)
def test_words_that_differ_in_a_mark_alone_are_two(one: str, other: str) -> None:
    assert fact_key("likes", one) != fact_key("likes", other)


@pytest.mark.parametrize("value", ["rule ❶", "፩ ፪", "৴", "①②", "x² + ½"])
def test_every_key_that_is_made_is_one_a_fact_may_have(value: str) -> None:
    key = fact_key("likes", value)

    assert key is None or TypeAdapter(FactKey).validate_python(key) == key


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("city", "home.city"),
        ("job.title", "work.role"),
        ("loves.tea", "likes.tea"),
        ("health.allergy.nuts", "allergy.nuts"),
        ("home.city", "home.city"),
        ("pets.count", "pets.count"),
        ("country.music", "country.music"),
        ("x", "x"),
    ],
)
def test_a_key_asked_for_by_hand_leads_where_the_learned_one_lies(asked: str, key: str) -> None:
    assert canonical_key(asked) == key


@given(
    st.sampled_from([*SYNONYMS, *SINGLE_VALUED]),
    st.sampled_from(["", ".count", ".best"]),
    st.text(max_size=20),
)
def test_what_was_learned_is_asked_for_under_its_own_key(root: str, rest: str, value: str) -> None:
    key = fact_key(root + rest, value)

    assert key is None or canonical_key(key) == key
