"""membus.core.strict_json: one meaning per text, or a clear refusal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membus.core import strict_json
from membus.core.errors import InvalidError

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
def test_json_comes_back_as_it_was_sent(value: Any) -> None:
    assert strict_json.parse_strict_json(json.dumps(value)) == value


@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        strict_json.parse_strict_json(text)
    except InvalidError as error:
        assert error.code in {"invalid_json", "too_deep", "number_out_of_range"}  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "not json",
        "{'a': 1}",
        '{"a": 1,}',
        "[1] [2]",
        "NaN",
        "Infinity",
        '{"a": -Infinity}',
        '{"a": 1, "a": 1}',
        '{"x": {"b": 1, "b": 2}}',
        '[{"a": 1, "a": 2}]',
        '"\\ud800"',
        '{"\\udfff": 1}',
        '"\ud800"',
        "\ufeff{}",
        "1" * 5000,
        b"\xff\xfe{",
        b'"\xff"',
        b"\xc3\x28",
    ],
)
def test_what_parsers_disagree_about_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        strict_json.parse_strict_json(text)

    assert refused.value.code == "invalid_json"


@pytest.mark.parametrize(
    "text", ["[" * 66 + "]" * 66, '{"a":' * 66 + "1" + "}" * 66, "[" * 1001 + "]" * 1001]
)
def test_what_nests_too_deep_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        strict_json.parse_strict_json(text)

    assert refused.value.code == "too_deep"


def test_sixty_four_levels_pass_and_a_hundred_thousand_do_no_harm() -> None:
    assert strict_json.parse_strict_json("[" * 64 + "1" + "]" * 64)
    with pytest.raises(InvalidError):
        strict_json.parse_strict_json("[" * 100_000)
    with pytest.raises(InvalidError):
        strict_json.parse_strict_json("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize(
    "text", [str(2**63), str(-(2**63) - 1), '{"a": [9223372036854775808]}', "1e400", "-1e999"]
)
def test_a_number_that_eventbridge_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        strict_json.parse_strict_json(text)

    assert refused.value.code == "number_out_of_range"


@pytest.mark.parametrize("text", [str(2**63 - 1), str(-(2**63)), "1e308", "0.1", "true"])
def test_a_number_that_fits_passes(text: str) -> None:
    assert strict_json.parse_strict_json(text) == json.loads(text)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", str(2**70)])
def test_odd_number_of_one_item_leaves_its_neighbours(number: str) -> None:
    body = f'{{"events": [{{"n": {number}}}, {{"n": 1}}]}}'
    odd, good = strict_json.parse_strict_json(body, batches=["events"])["events"]

    assert isinstance(odd, strict_json.UnreadableItem)
    assert good == {"n": 1}
