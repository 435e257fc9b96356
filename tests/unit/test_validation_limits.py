"""membus.facts.validation.validator.

How much an event may change, whose word counts, what is kept nowhere.
"""

from itertools import permutations
from typing import Any

import pytest

from membus.facts.candidates import REVIEW_REASONS, Candidate, Extractor, Rejection, ReviewRequest, Verdict
from membus.facts.observation import Observation, Trust
from membus.facts.text_checks import contains_secret
from membus.facts.validation.validator import CHANGES_MAX, validate_candidate, validate_candidates
from tests.factories import a_candidate, recorded, said

READER = Extractor(model="m", prompt_version="1")
SELF = (
    "My name is Ada. My age is 34. I live in Lisbon. I live in Portugal. I work as a nurse. I work at Siemens. "
    "My diet is vegan. I like tea."
)
PARTS = [
    ("name", "Ada", "My name is Ada"),
    ("age", "34", "My age is 34"),
    ("home.city", "Lisbon", "I live in Lisbon"),
    ("home.country", "Portugal", "I live in Portugal"),
    ("work.role", "nurse", "I work as a nurse"),
    ("work.employer", "Siemens", "I work at Siemens"),
    ("diet", "vegan", "My diet is vegan"),
]


def candidates(count: int) -> list[Candidate]:
    tea = a_candidate(attribute="likes", value="tea", quote="I like tea")
    return [
        *(a_candidate(attribute=name, value=value, quote=quote) for name, value, quote in PARTS[:count]),
        tea,
    ]


KNOWN = {name: "another" for name, _, _ in PARTS}
"""What was known of the user before: another value of each single-valued attribute."""


def verdict(text: str, **fields: Any) -> Verdict:
    return validate_candidate(a_candidate(quote=text, **fields), {"e1": recorded(said(text))}, READER)


def test_somebody_may_introduce_themselves() -> None:
    verdicts = validate_candidates(candidates(CHANGES_MAX), {"e1": recorded(said(SELF))}, READER)

    assert all(isinstance(each, Observation) for each in verdicts)


def test_a_first_introduction_is_learned_whole_however_long() -> None:
    verdicts = validate_candidates(candidates(len(PARTS)), {"e1": recorded(said(SELF))}, READER)

    assert len(verdicts) > CHANGES_MAX
    assert all(isinstance(each, Observation) for each in verdicts)


def test_an_event_that_rewrites_somebody_waits_and_what_only_adds_does_not() -> None:
    verdicts = validate_candidates(
        candidates(CHANGES_MAX + 1), {"e1": recorded(said(SELF))}, READER, current=KNOWN
    )

    assert [each.reason for each in verdicts if isinstance(each, ReviewRequest)] == ["too_many_changes"] * (
        CHANGES_MAX + 1
    )
    assert [each.key for each in verdicts if isinstance(each, Observation)] == ["likes.tea"]


def test_what_waits_does_not_depend_on_the_order_of_the_answer() -> None:
    event = {"e1": recorded(said(SELF))}
    for order in list(permutations(candidates(CHANGES_MAX + 1)))[:40]:
        assert (
            sum(
                isinstance(each, ReviewRequest)
                for each in validate_candidates(order, event, READER, current=KNOWN)
            )
            == CHANGES_MAX + 1
        )


def test_the_same_proposed_twice_is_one_change() -> None:
    twice = [*candidates(CHANGES_MAX), *candidates(CHANGES_MAX)]

    assert not any(
        isinstance(each, ReviewRequest)
        for each in validate_candidates(twice, {"e1": recorded(said(SELF))}, READER, current=KNOWN)
    )


def test_hearsay_waits_as_somebody_elses_word() -> None:
    held = verdict("My neighbour says I'm diabetic.", attribute="health", value="diabetic")

    assert isinstance(held, ReviewRequest)
    assert (held.reason, held.observation.trust) == ("hearsay", Trust.THIRD_PARTY)


@pytest.mark.parametrize(
    "text", ["I'm planning to use Flask debug mode", "I'm studying the developer tools of Safari"]
)
def test_the_words_of_a_trade_are_no_orders(text: str) -> None:
    assert isinstance(verdict(text, attribute="plan", value=text.removeprefix("I'm ")), Observation)


def test_denials_replace_nothing_and_are_no_changes_too_many() -> None:
    denials = [each.model_copy(update={"stance": "negated"}) for each in candidates(CHANGES_MAX + 1)]
    words = " ".join(f"{each.quote} any more." for each in denials)

    verdicts = validate_candidates(denials, {"e1": recorded(said(words))}, READER)

    assert all(isinstance(each, Observation) and each.denies for each in verdicts)


@pytest.mark.parametrize("stance", ["hypothetical", "question"])
def test_the_models_own_doubt_counts_even_where_the_words_show_none(stance: str) -> None:
    refused = verdict("I live in Lisbon.", stance=stance)

    assert isinstance(refused, Rejection)
    assert refused.reason == stance


def test_words_that_are_clean_in_one_place_are_enough() -> None:
    assert isinstance(verdict("If I live in Lisbon, fine. I live in Lisbon.", value="Lisbon"), Observation)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA\u200bIOSFODNN7EXAMPLE",
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "GB82 WEST 1234 5698 7654 32",
        "GB82WEST12345698765432",
        "-----BEGIN RSA PRIVATE KEY-----",
        "postgres://ada:hunter2@db/x",
        "my password: hunter2",
        "PIN is 4821",
    ],
)
def test_a_secret_is_refused_and_kept_nowhere(text: str) -> None:
    refused = verdict(f"I own this: {text}", attribute="owns", value=text)

    assert isinstance(refused, Rejection)
    assert refused.reason == "secret"


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "+49 30 901820",
        "978-0-306-40615-7",
        "password puzzles",
        "2026-03-01",
        "order 12345",
        "the internationalization-of-everything-working-group",
        "a pin board",
    ],
)
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert not contains_secret(text)


def test_only_what_a_person_can_judge_by_its_words_waits() -> None:
    assert {
        "instruction",
        "url",
        "hearsay",
        "quoted",
        "sarcasm",
        "not_yet",
        "too_many_changes",
    } == REVIEW_REASONS
