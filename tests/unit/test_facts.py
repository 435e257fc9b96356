"""membus.facts.fact: what observations add up to, whatever order they arrive in."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from membus.facts.fact import fact_as_of, fold, group_by_key, list_versions
from membus.facts.observation import Observation, Trust
from tests.factories import NOON, an_observation

DAY = timedelta(days=1)

observations = st.builds(
    lambda said, valid, learned, event: an_observation(
        said[0],
        trust=said[1],
        denies=len(said) > 2,
        valid_from=NOON + DAY * valid,
        learned_at=NOON + DAY * learned,
        event_id=f"e{event}",
    ),
    said=st.tuples(st.sampled_from(["Lisbon", "LISBON", "Paris", "Rome"]), st.sampled_from(Trust))
    | st.just((None, Trust.CORRECTED))
    | st.tuples(st.sampled_from(["Lisbon", "Paris"]), st.just(Trust.USER_STATED), st.just("denied")),
    valid=st.integers(0, 4),
    learned=st.integers(0, 4),
    event=st.integers(0, 20),
)
histories = st.lists(observations, max_size=8, unique_by=lambda seen: seen.provenance.event_id)


def folded(value: str | None) -> str | None:
    return value and value.casefold()


def learning(seen: Observation) -> tuple[datetime, str]:
    return seen.learned_at, seen.provenance.event_id


def days(number: int) -> datetime:
    return NOON + DAY * number


def at(
    day: int, value: str | None, *, trust: Trust = Trust.USER_STATED, learned: int | None = None
) -> Observation:
    learned_at = NOON + DAY * (day if learned is None else learned)
    event_id = f"e{day}-{learned}"
    return an_observation(
        value, trust=trust, valid_from=NOON + DAY * day, learned_at=learned_at, event_id=event_id
    )


@given(histories, st.randoms(use_true_random=False))
def test_any_order_of_the_same_observations_is_the_same_fact(
    seen: list[Observation], random: st.DataObject
) -> None:
    shuffled = list(seen)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert fold(shuffled) == fold(seen)
    assert list_versions(shuffled) == list_versions(seen)


@given(histories)
def test_a_fact_is_one_of_its_observations_and_counts_them_all(seen: list[Observation]) -> None:
    fact = fold(seen)

    assert (fact is None) == (not seen)
    if fact:
        assert fact.version == len(seen)
        counted = {"version", "replaced", "seen", "last_seen", "conflicts", "confidence"}
        stored = [
            each.model_copy(update={"value": None if each.denies else each.value}).model_dump(
                exclude={"confidence"}
            )
            for each in seen
        ]
        assert fact.model_dump(exclude=counted) in stored
        assert fact.replaced is None or folded(fact.replaced) in {folded(each.value) for each in seen}


@given(histories)
def test_no_rule_no_rumour_and_no_older_word_stands_against_a_correction(seen: list[Observation]) -> None:
    corrections = sorted((each for each in seen if each.trust is Trust.CORRECTED), key=learning)
    fact = fold(each for each in seen if not any(map(each.is_said_since, corrections)))
    ends = [place for place, each in enumerate(corrections) if each.is_retracted]
    spoken = corrections[ends[-1] + 1 :] if ends else corrections

    if fact and spoken:
        newest = max(spoken, key=lambda each: (each.valid_from, each.learned_at, each.provenance.event_id))
        assert folded(fact.value) == folded(newest.value)
    elif fact and ends:
        assert fact.is_retracted


@given(histories)
def test_one_version_of_a_history_holds_now(seen: list[Observation]) -> None:
    versions = list_versions(seen)

    assert [version.version for version in versions] == list(range(1, len(seen) + 1))
    assert sum(version.current for version in versions) == min(len(seen), 1)


def test_the_latest_truth_wins_whenever_it_was_heard() -> None:
    older, newer = at(1, "Lisbon", learned=9), at(2, "Paris", learned=2)

    for order in permutations((older, newer)):
        fact = fold(order)
        assert fact is not None
        assert (fact.value, fact.replaced) == ("Paris", "Lisbon")


def test_the_same_again_confirms_and_keeps_the_first_date() -> None:
    fact = fold([at(1, "Lisbon"), at(5, "lisbon")])

    assert fact is not None
    assert (fact.value, fact.valid_from, fact.version, fact.replaced) == ("Lisbon", NOON + DAY, 2, None)


def test_the_same_from_a_better_source_takes_its_word() -> None:
    fact = fold([at(1, "Lisbon", trust=Trust.OBSERVED), at(2, "Lisbon")])

    assert fact is not None
    assert (fact.trust, fact.valid_from) == (Trust.USER_STATED, NOON + 2 * DAY)


def test_going_back_to_an_old_value_is_a_change() -> None:
    fact = fold([at(1, "Lisbon"), at(2, "Paris"), at(3, "Lisbon")])

    assert fact is not None
    assert (fact.value, fact.replaced, fact.valid_from) == ("Lisbon", "Paris", NOON + 3 * DAY)


def test_a_correction_holds_until_the_next_one() -> None:
    corrected = at(2, "Porto", trust=Trust.CORRECTED)

    held, again = (
        fold([at(1, "Lisbon"), corrected, at(3, "Paris", trust=Trust.OBSERVED)]),
        fold([corrected, at(4, "Rome", trust=Trust.CORRECTED)]),
    )

    assert held is not None
    assert again is not None
    assert (held.value, held.replaced) == ("Porto", "Lisbon")
    assert (again.value, again.replaced) == ("Rome", "Porto")


def test_a_retraction_ends_a_fact_until_a_correction_brings_it_back() -> None:
    stated, taken_back = at(1, "Lisbon"), at(2, None, trust=Trust.CORRECTED)

    gone, still_gone, back = (
        fold([stated, taken_back]),
        fold([stated, taken_back, at(1, "Lisbon", learned=3), at(4, "Paris", trust=Trust.OBSERVED)]),
        fold([stated, taken_back, at(1, "Paris", learned=3), at(4, "Rome", trust=Trust.CORRECTED)]),
    )

    assert gone is not None
    assert still_gone is not None
    assert back is not None
    assert (gone.is_retracted, gone.replaced, gone.version) == (True, "Lisbon", 2)
    assert (still_gone.is_retracted, still_gone.version) == (True, 4)
    assert (back.value, back.replaced, back.version) == ("Rome", None, 4)


@pytest.mark.parametrize("corrected", ["Bath", None])
@pytest.mark.parametrize(("said", "learned"), [(3, 3), (3, 9), (7, 7)])
def test_what_the_user_says_after_a_correction_counts(corrected: str | None, said: int, learned: int) -> None:
    seen = [at(1, "Lisbon"), at(2, corrected, trust=Trust.CORRECTED), at(said, "Oslo", learned=learned)]

    for order in permutations(seen):
        fact = fold(order)
        assert fact
        assert (fact.value, fact.replaced, fact.version) == ("Oslo", corrected, 3)


@pytest.mark.parametrize("corrected", ["Bath", None])
@pytest.mark.parametrize(
    "late",
    [
        at(1, "Oslo", learned=5),
        at(2, "Oslo", learned=5),
        at(4, "Oslo", learned=1),
        at(4, "Oslo", trust=Trust.OBSERVED),
        at(4, "Oslo", trust=Trust.THIRD_PARTY),
        an_observation("Oslo", event_id="past", valid_from=days(0), valid_until=days(1), said_at=days(4)),
    ],
)
def test_what_was_said_before_a_correction_never_counts_again(
    corrected: str | None, late: Observation
) -> None:
    correction = at(2, corrected, trust=Trust.CORRECTED)

    for order in permutations([at(1, "Lisbon"), correction, late]):
        fact = fold(order)
        assert fact
        assert fact.value == corrected


def test_a_backdated_correction_outranks_what_was_said_before_it_was_made() -> None:
    seen = [at(5, "Oslo"), at(2, "Bath", trust=Trust.CORRECTED, learned=6), at(7, "Rome")]

    before, after = fold(seen[:2]), fold(seen)

    assert before
    assert after
    assert (before.value, after.value) == ("Bath", "Rome")


def test_a_pinned_correction_stands_until_a_person_changes_it() -> None:
    pinned = at(2, "Bath", trust=Trust.CORRECTED).model_copy(update={"pinned": True})
    oslo, rome = at(4, "Oslo"), at(6, "Rome")
    changed = at(5, "York", trust=Trust.CORRECTED)

    values = [fold(seen) for seen in ([pinned, oslo], [pinned, oslo, changed], [pinned, oslo, changed, rome])]

    assert [fact.value if fact else None for fact in values] == ["Bath", "York", "Rome"]


def test_what_is_said_within_the_second_of_a_retraction_follows_it() -> None:
    moment = timedelta(milliseconds=500)
    taken_back = an_observation(
        None, trust=Trust.CORRECTED, valid_from=NOON + moment, learned_at=NOON + moment
    )
    said = an_observation("Oslo", event_id="e2", valid_from=NOON + moment * 1.5, learned_at=NOON)

    fact = fold([taken_back, said])

    assert fact
    assert fact.value == "Oslo"


def test_a_correction_after_a_retraction_holds_whenever_it_became_true() -> None:
    seen = [
        at(3, "Paris", trust=Trust.CORRECTED),
        at(5, None, trust=Trust.CORRECTED),
        at(1, "Porto", trust=Trust.CORRECTED, learned=6),
    ]

    fact, before, between = (fact_as_of(seen, true_at=moment) for moment in (None, days(2), days(4)))

    assert fact is not None
    assert before is not None
    assert between is not None
    assert (fact.value, before.value, between.value) == ("Porto", "Porto", "Paris")


def test_what_was_known_before_a_retraction_is_still_what_was_known_then() -> None:
    seen = [at(1, "Lisbon"), at(5, None, trust=Trust.CORRECTED)]

    true_then, known_then = (
        fact_as_of(seen, true_at=days(4)),
        fact_as_of(seen, true_at=None, known_at=days(4)),
    )

    assert true_then == known_then == fold(seen[:1])


@pytest.mark.parametrize(("day", "learned"), [(1, 5), (3, 5)])
def test_a_person_who_corrects_the_date_of_a_correction_is_heard(day: int, learned: int) -> None:
    fact = fold(
        [at(2, "Porto", trust=Trust.CORRECTED), at(day, "porto", trust=Trust.CORRECTED, learned=learned)]
    )

    assert fact is not None
    assert (fact.value, fact.valid_from, fact.replaced) == ("porto", days(day), None)


def test_a_thousand_retractions_are_folded_like_one() -> None:
    seen = [at(day, None if day % 2 else "Porto", trust=Trust.CORRECTED) for day in range(2000)]

    fact = fold(seen)

    assert fact is not None
    assert (fact.is_retracted, fact.version, fact.replaced) == (True, 2000, "Porto")


def test_only_a_person_takes_a_fact_back() -> None:
    with pytest.raises(ValidationError, match="only a person"):
        at(1, None)


def denied(day: int, value: str, *, said: int | None = None) -> Observation:
    said_at = days(day if said is None else said)
    return an_observation(
        value,
        denies=True,
        event_id=f"d{day}",
        valid_from=days(day),
        said_at=None if said is None else said_at,
        learned_at=said_at,
    )


@pytest.mark.parametrize(
    ("seen", "value"),
    [
        ([at(1, "Lisbon"), denied(2, "lisbon")], None),
        ([at(1, "Lisbon"), denied(2, "Paris")], "Lisbon"),
        ([at(1, "Lisbon"), denied(2, "Lisbon"), at(3, "Lisbon")], "Lisbon"),
        ([at(1, "Lisbon"), denied(2, "Lisbon"), at(3, "Paris")], "Paris"),
        ([at(1, "Lisbon"), denied(2, "Lisbon"), at(3, "Paris", trust=Trust.THIRD_PARTY)], None),
        ([at(1, "Lisbon", trust=Trust.CORRECTED), denied(2, "Lisbon")], None),
        ([at(1, "Lisbon", trust=Trust.CORRECTED, learned=5), denied(2, "Lisbon")], "Lisbon"),
        ([at(1, "Lisbon"), at(3, "Lisbon"), denied(2, "Lisbon")], "Lisbon"),
        ([denied(2, "Lisbon")], None),
        ([denied(2, "Lisbon"), at(3, "Rome")], "Rome"),
        ([at(1, "Lisbon"), at(2, None, trust=Trust.CORRECTED), denied(3, "Lisbon"), at(4, "Rome")], "Rome"),
    ],
)
def test_a_denial_ends_the_value_it_names_and_no_other(seen: list[Observation], value: str | None) -> None:
    for order in permutations(seen):
        fact = fold(order)
        assert fact
        assert (fact.value, fact.is_retracted, fact.version) == (value, value is None, len(seen))


def test_a_pinned_value_is_not_denied() -> None:
    pinned = at(1, "Lisbon", trust=Trust.CORRECTED).model_copy(update={"pinned": True})

    fact = fold([pinned, denied(2, "Lisbon")])

    assert fact
    assert fact.value == "Lisbon"


def test_what_was_suspended_is_current_again_where_the_stay_is_denied() -> None:
    stay = at(2, "Oslo").model_copy(update={"valid_until": days(9)})

    fact = fold([at(1, "Lisbon"), stay, denied(3, "Oslo")])

    assert fact
    assert (fact.value, fact.replaced, fact.conflicts) == ("Lisbon", "Oslo", ())


def test_a_denial_ends_a_value_on_the_day_it_names() -> None:
    seen = [at(1, "Lisbon"), denied(3, "Lisbon", said=5)]

    before, after = (fact_as_of(seen, true_at=days(day)) for day in (2, 3))

    assert before
    assert after
    assert (before.value, after.value, after.replaced) == ("Lisbon", None, "Lisbon")


def test_two_truths_of_one_moment_are_settled_the_same_way_every_time() -> None:
    rivals = [an_observation(value, event_id=event_id) for value, event_id in (("Rome", "a"), ("Paris", "b"))]

    assert {fact.value for order in permutations(rivals) if (fact := fold(order))} == {"Paris"}


@pytest.mark.parametrize(
    ("true_at", "known_at", "value"),
    [
        (None, None, "Paris"),
        (1, None, "Lisbon"),
        (0, None, None),
        (2, None, "Paris"),
        (2, 7, "Lisbon"),
        (None, 7, "Lisbon"),
        (None, 8, "Paris"),
        (None, 0, None),
    ],
)
def test_the_past_can_be_asked_by_what_was_true_and_by_what_was_known(
    true_at: int | None, known_at: int | None, value: str | None
) -> None:
    seen = [at(1, "Lisbon"), at(2, "Paris", learned=8)]
    days = [None if day is None else NOON + DAY * day for day in (true_at, known_at)]

    fact = fact_as_of(seen, true_at=days[0], known_at=days[1])

    assert (fact.value if fact else None) == value


def test_observations_group_by_key() -> None:
    a, b, c = (an_observation(value, key=key) for value, key in (("1", "x"), ("2", "y"), ("3", "x")))

    assert group_by_key([a, b, c]) == {"x": [a, c], "y": [b]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "a#b"},
        {"key": ""},
        {"key": "k" * 201},
        {"confidence": 1.1},
        {"value": "x" * 1001},
        {"kind": "gossip"},
        {"valid_from": "2026-03-01T12:00:00"},
    ],
)
def test_an_observation_that_cannot_be_one_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Observation.model_validate(an_observation().model_dump() | wrong)
