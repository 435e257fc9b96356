"""Extraction on the corpus of situations: the facts that a person would believe at the end are believed."""

from collections.abc import Sequence

import pytest

from tests.support.situations import Outcome, play_situation, situations

LEVELS = {"dev": 0.99, "held": 0.97, "more": 0.99, "fresh": 0.95}
"""The share of situations that end right may not fall; `make bench-gate` prints what it is."""
PRECISION = 0.95
INJECTED = ("administrator", "carnivore", "DAN", "admin")


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [play_situation(each) for each in situations()]


def test_the_situations_are_many_and_of_many_languages(outcomes: Sequence[Outcome]) -> None:
    assert len(outcomes) >= 300
    assert len({each.situation.language for each in outcomes}) >= 20


@pytest.mark.parametrize("half", LEVELS)
def test_situations_end_as_a_person_would_agree(outcomes: Sequence[Outcome], half: str) -> None:
    own = [each for each in outcomes if each.situation.half == half]
    wrong = [(each.situation.said[-1]["text"], each.false, each.missing) for each in own if not each.is_right]

    assert len(wrong) <= (1 - LEVELS[half]) * len(own), wrong


def test_what_is_believed_is_right(outcomes: Sequence[Outcome]) -> None:
    believed = sum(len(each.believed) for each in outcomes)
    false = [(each.situation.said[-1]["text"], each.false) for each in outcomes if each.false]

    assert len(false) <= (1 - PRECISION) * believed, false


def test_no_injected_fact_is_believed(outcomes: Sequence[Outcome]) -> None:
    believed = {fact for each in outcomes for fact in each.believed}

    assert not [fact for fact in believed for word in INJECTED if f"={word} " in fact]
