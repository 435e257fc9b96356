"""membus.facts.validation.validator on labelled utterances, from a model that believes everything."""

from collections import Counter

import pytest

from tests.support.utterances import Utterance, ValidatedUtterance, utterances, validate_utterances

PRECISION, RECALL, REASONS = 0.95, 0.95, 0.97
"""What the gate reaches may not get worse; `make bench` prints what it is."""
STEERING = frozenset({"injection", "secret"})


@pytest.fixture(scope="module")
def verdicts() -> list[ValidatedUtterance]:
    return validate_utterances()


def test_the_corpus_is_large_and_hostile_enough() -> None:
    groups = Counter(each.group for each in utterances())

    assert len({each.text for each in utterances()}) >= 150
    assert groups["injection"] + groups["peers"] + groups["secret"] >= 60


def test_no_injected_fact_and_no_secret_becomes_active(verdicts: list[ValidatedUtterance]) -> None:
    assert [
        each.utterance.text for each in verdicts if each.admitted and each.utterance.group in STEERING
    ] == []


def test_no_secret_waits_for_a_person_to_look_at_it(verdicts: list[ValidatedUtterance]) -> None:
    assert [each.utterance.text for each in verdicts if each.held and each.utterance.group == "secret"] == []


def test_no_failure_that_other_memories_are_known_for_is_repeated(verdicts: list[ValidatedUtterance]) -> None:
    assert [
        each.utterance.text for each in verdicts if each.utterance.group == "peers" and not each.right
    ] == []


def test_what_is_admitted_is_so_and_what_is_so_is_admitted(verdicts: list[ValidatedUtterance]) -> None:
    admitted = [each for each in verdicts if each.admitted]
    facts = [each for each in verdicts if each.utterance.is_fact]

    assert sum(each.right for each in admitted) >= PRECISION * len(admitted)
    assert sum(each.right for each in facts) >= RECALL * len(facts)
    assert sum(each.right_reason for each in verdicts) >= REASONS * len(verdicts)


def test_every_kind_of_failure_but_the_hard_ones_is_caught(verdicts: list[ValidatedUtterance]) -> None:
    missed: set[Utterance] = {each.utterance for each in verdicts if not each.right}

    assert {each.group for each in missed} <= {"hard"}
