"""membus.core.tokens and visible: what a text costs, and whether there is anything in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.core.text.normalization import is_blank
from membus.core.tokens import estimate_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" ", 0),
        (" \n\t", 1),
        ("\n" * 9, 1),
        ("\n" * 100_000, 12_500),
        ("hello", 1),
        ("hello world", 2),
        ("hello, world!", 4),
        ("extraordinary", 3),
        ("12345", 2),
        ("北京", 2),
        ("😀", 1),
        ("a" * 7, 1),
        ("a" * 8, 2),
        ("it's", 3),
        ("{}", 2),
    ],
)
def test_a_text_has_an_estimate(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(st.text(), st.text())
def test_texts_side_by_side_cost_the_sum_of_both(one: str, other: str) -> None:
    one, other = one.strip(), other.strip()

    assert estimate_tokens(f"{one}\n{other}") == estimate_tokens(one) + estimate_tokens(other)


@given(st.text(), st.text())
def test_a_longer_text_never_costs_much_less(text: str, more: str) -> None:
    assert estimate_tokens(text + more) >= estimate_tokens(text) - 1
    assert estimate_tokens(text) <= len(text)


@given(st.text(min_size=1))
def test_only_a_text_without_anything_in_it_is_free(text: str) -> None:
    assert (estimate_tokens(text) == 0) == (text.isspace() and len(text) == 1)


@pytest.mark.parametrize(
    "nothing",
    [
        "",
        " ",
        "\n\t",
        "\u200b",
        "\u200d\ufeff",
        "\x00\x07",
        "\u2028\u2029",
        "\u00a0",
        "\u202e",
        "\ud800",
        None,
        5,
        ["x"],
    ],
)
def test_what_nobody_would_see_is_blank(nothing: object) -> None:
    assert is_blank(nothing)


@pytest.mark.parametrize("something", ["a", " a ", ".", "😀", "\u200ba", "北", "\u0301"])
def test_what_somebody_would_see_is_not_blank(something: str) -> None:
    assert not is_blank(something)
