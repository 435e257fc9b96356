"""membus.domain: what several sources, at several times, add up to.

No failure that others are known for repeated.
"""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from membus.facts.attributes import SINGLE_VALUED, SYNONYMS, fact_key, normalize_path
from membus.facts.fact import Fact, build_snapshot, fact_as_of, fold, list_versions
from membus.facts.observation import (
    CONFIDENCE_MAX,
    HALF_LIFE,
    Observation,
    Provenance,
    Trust,
    decay_confidence,
    reinforce_confidence,
)
from membus.facts.resolution import SUSPENDED_CLAIMS_MAX, truth_order
from tests.factories import NOON, an_observation

DAY = timedelta(days=1)


def heard(
    day: float, value: str | None, *, trust: Trust = Trust.USER_STATED, agent: str = "default", **fields: Any
) -> Observation:
    """Return what was said on that day, to that agent."""
    said = fields.pop("said_at", NOON + DAY * day)
    event_id = str(fields.pop("event_id", f"e{day}-{agent}"))
    why = Provenance(event_id=event_id, event_type="message.sent", origin="api", agent_id=agent, quote="…")
    moments = {"valid_from": NOON + DAY * day, "learned_at": NOON + DAY * day} | fields
    return an_observation(value, trust=trust, provenance=why, said_at=said, **moments)


def settled(*observations: Observation) -> Fact:
    """Return the fact that the observations add up to in every order, and however often each is delivered."""
    facts = {fold([*order, *order[:2]]) for order in permutations(observations)}
    (fact,) = facts
    assert fact is not None
    return fact


sources = st.sampled_from(["chat", "mail", "web"])
said = st.builds(
    lambda day, back, value, trust, agent, lasts, event: heard(
        day,
        value,
        trust=trust,
        agent=agent,
        event_id=f"e{event}",
        valid_from=NOON + DAY * (day - back),
        valid_until=NOON + DAY * (day - back + lasts) if lasts else None,
    ),
    day=st.integers(0, 5),
    back=st.integers(0, 3),
    value=st.sampled_from(["Lisbon", "lisbon", "Rome", "Paris"]),
    trust=st.sampled_from(Trust),
    agent=sources,
    lasts=st.integers(0, 6),
    event=st.integers(0, 30),
)
taken_back = st.builds(
    lambda day, event: heard(day, None, trust=Trust.CORRECTED, event_id=f"r{event}"),
    day=st.integers(0, 5),
    event=st.integers(0, 5),
)
streams = st.lists(said | taken_back, max_size=9, unique_by=lambda seen: seen.provenance.event_id)


@given(streams, st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_repetition_change_nothing(
    seen: list[Observation], random: st.DataObject, copies: int
) -> None:
    delivered = seen * copies
    random.shuffle(delivered)  # type: ignore[attr-defined]

    once, many = fold(seen), fold(delivered)

    assert once == many
    assert (once.model_dump_json() if once else None) == (many.model_dump_json() if many else None)
    assert list_versions(delivered) == list_versions(seen)


A_STAY_AND_A_RUMOUR = [
    heard(0, "Rome", trust=Trust.OBSERVED, event_id="e2"),
    heard(0, "Lisbon", trust=Trust.OBSERVED, event_id="e3", valid_until=NOON + DAY),
    heard(1, "Rome", trust=Trust.THIRD_PARTY, event_id="e1"),
]


@given(streams)
@example([heard(0, "Lisbon", trust=Trust.THIRD_PARTY, event_id="e0"), *A_STAY_AND_A_RUMOUR])
@example([heard(0, "Rome", trust=Trust.CORRECTED), heard(1, "Lisbon", event_id="e1")])
@example([heard(0, "Rome", trust=Trust.CORRECTED), heard(1, "Lisbon", valid_until=NOON + DAY * 2)])
@example([heard(0, "Rome", event_id="e0"), heard(1, "Lisbon", trust=Trust.THIRD_PARTY)])
def test_nothing_that_is_trusted_less_stands_over_what_still_holds(seen: list[Observation]) -> None:
    fact = fold(seen)
    lasting = [each for each in seen if each.valid_until is None and not each.is_retracted]
    open_ended = [each for each in lasting if not ended(each, seen) and not superseded(each, lasting)]

    if fact and not any(each.is_retracted for each in seen):
        assert all(
            fact.trust.rank >= each.trust.rank or yields_to_later_words(each, fact) for each in open_ended
        )


def yields_to_later_words(claim: Observation, fact: Fact) -> bool:
    """Whether a claim is a correction, and the fact what the user said after it (ADR 77)."""
    last_said = fact.last_seen if fact.trust is Trust.USER_STATED else None
    is_later = last_said is not None and last_said > claim.learned_at
    return claim.trust is Trust.CORRECTED and not claim.pinned and is_later


def ended(claim: Observation, seen: list[Observation]) -> bool:
    """Whether somebody trusted as much said the same value with an end.

    Then it no longer holds beyond that.
    """
    return any(
        each.valid_until and each.has_same_value_as(claim) and each.trust.rank >= claim.trust.rank
        for each in seen
        if each.value
    )


def superseded(claim: Observation, lasting: list[Observation]) -> bool:
    """Whether somebody trusted as much said later that another value holds, without an end.

    A move, and no stay.
    """
    return any(
        truth_order(each) > truth_order(claim)
        and not each.has_same_value_as(claim)
        and each.trust.rank >= claim.trust.rank
        for each in lasting
    )


def test_after_a_stay_what_it_stood_over_holds_again_and_no_rumour_of_another_place() -> None:
    home, stay = heard(0, "Rome"), heard(2, "Lisbon", valid_until=NOON + DAY * 4)
    again = heard(1, "rome", agent="mail")

    back = settled(home, again, stay, heard(5, "Paris", trust=Trust.THIRD_PARTY))

    assert (back.value, back.trust, back.replaced) == ("Rome", Trust.USER_STATED, "Lisbon")
    assert (back.valid_from, back.seen, back.conflicts) == (NOON, 2, ())
    assert settled(home, stay, heard(5, "Paris")).value == "Paris", (
        "who is trusted as much may tell of a move"
    )


def test_what_was_seen_during_a_stay_holds_after_it_before_any_rumour() -> None:
    stay, sight = heard(0, "Lisbon", valid_until=NOON + DAY * 4), heard(1, "Rome", trust=Trust.OBSERVED)

    fact = settled(stay, sight, heard(5, "Paris", trust=Trust.THIRD_PARTY))

    assert (fact.value, fact.trust, fact.valid_from) == ("Rome", Trust.OBSERVED, NOON + DAY)


def test_after_a_move_whose_end_was_told_the_old_home_is_not_home_again() -> None:
    moved, leaves = heard(1, "Lisbon"), heard(2, "Lisbon", valid_until=NOON + DAY * 3)

    assert (
        settled(heard(0, "Rome"), moved, leaves, heard(5, "Paris", trust=Trust.THIRD_PARTY)).value == "Paris"
    )


def test_stays_that_lie_deeper_in_one_another_than_anybodys_do_still_leave_the_home() -> None:
    stays = [
        heard(day, f"Town {day}", valid_until=NOON + DAY * (200 - day))
        for day in range(1, SUSPENDED_CLAIMS_MAX * 3)
    ]

    known = build_snapshot([heard(0, "Rome"), *stays])
    fact = fold([heard(0, "Rome"), *stays, heard(300, "Paris", trust=Trust.THIRD_PARTY)])

    assert known
    assert known.settled
    assert len(known.settled.beneath) == SUSPENDED_CLAIMS_MAX
    assert fact
    assert fact.value == "Rome"


@given(streams)
def test_every_conflict_is_another_sources_equal_claim_of_the_same_time(seen: list[Observation]) -> None:
    fact = fold(seen)
    events = {each.provenance.event_id: each for each in seen}

    for conflict in fact.conflicts if fact else ():
        other = events[conflict.event_id]
        assert fact
        assert other.trust is fact.trust
        assert (other.value or "").casefold() != (fact.value or "").casefold()


def test_two_agents_who_hear_two_homes_on_one_day_are_both_believed_and_both_shown() -> None:
    fact = settled(heard(1, "Lisbon", agent="chat"), heard(1.2, "Rome", agent="mail"))

    assert (fact.value, [conflict.value for conflict in fact.conflicts]) == ("Rome", ["Lisbon"])
    assert (fact.conflicts[0].agent_id, fact.conflicts[0].event_id) == ("chat", "e1-chat")


@pytest.mark.parametrize(
    "later",
    [
        heard(1.2, "Rome", agent="chat"),  # who said so takes it back
        heard(400, "Rome", agent="mail"),  # a year later somebody may have moved
        heard(1.2, "Rome", agent="mail", trust=Trust.CORRECTED),  # a person has decided
    ],
)
def test_a_change_is_no_conflict(later: Observation) -> None:
    assert settled(heard(1, "Lisbon", agent="chat"), later).conflicts == ()


def test_a_conflict_ends_when_the_other_source_comes_round() -> None:
    fact = settled(
        heard(1, "Lisbon", agent="chat"), heard(1.2, "Rome", agent="mail"), heard(3, "Rome", agent="chat")
    )

    assert (fact.value, fact.seen, fact.conflicts) == ("Rome", 2, ())


def test_what_somebody_does_conflicts_with_nothing() -> None:
    fact = settled(
        heard(1, "dark", agent="web", kind="setting"), heard(1.1, "light", agent="phone", kind="setting")
    )

    assert (fact.value, fact.conflicts) == ("light", ())


@pytest.mark.parametrize("lower", [Trust.OBSERVED, Trust.THIRD_PARTY])
def test_what_is_trusted_less_waits_until_the_better_word_has_ended(lower: Trust) -> None:
    stated, rumour = heard(1, "Lisbon"), heard(9, "Rome", trust=lower)
    ended = heard(1, "Lisbon", valid_until=NOON + DAY * 5)

    assert settled(stated, rumour).value == "Lisbon"
    assert settled(ended, rumour).value == "Rome"


def test_a_late_event_lands_in_the_past() -> None:
    fact = settled(heard(5, "Rome"), heard(1, "Lisbon", learned_at=NOON + DAY * 9))

    assert (fact.value, fact.replaced) == ("Rome", "Lisbon")


def test_since_2019_said_today_wins_over_what_was_said_last_month() -> None:
    fact = settled(heard(1, "Porto"), heard(30, "Lisbon", valid_from=NOON - DAY * 900))

    assert (fact.value, fact.valid_from) == ("Lisbon", NOON - DAY * 900)


def test_a_past_home_told_later_does_not_become_the_present_one() -> None:
    told = heard(30, "Porto", valid_from=NOON - DAY * 900, valid_until=NOON - DAY * 300)
    fact = settled(heard(1, "Lisbon"), told)
    then = fact_as_of([heard(1, "Lisbon"), told], true_at=NOON - DAY * 400)

    assert fact.value == "Lisbon"
    assert then is not None
    assert then.value == "Porto"


def test_what_has_ended_is_not_what_holds_afterwards() -> None:
    seen = [heard(1, "Lisbon"), heard(10, "Berlin", valid_until=NOON + DAY * 40)]

    there, back = (fact_as_of(seen, true_at=NOON + DAY * day) for day in (20, 50))

    assert there is not None
    assert back is not None
    assert (there.value, back.value) == ("Berlin", "Lisbon")


def test_each_invalidation_can_be_undone_from_the_history() -> None:
    seen = [heard(1, "Lisbon"), heard(2, "Rome")]
    before = next(version for version in list_versions(seen) if not version.current)

    fact = settled(*seen, heard(3, before.value, trust=Trust.CORRECTED))

    assert (fact.value, fact.replaced) == ("Lisbon", "Rome")
    assert [version.value for version in list_versions(seen)] == ["Lisbon", "Rome"]


def test_said_again_it_is_surer_and_keeps_its_first_day() -> None:
    fact = settled(heard(1, "Lisbon"), heard(4, "LISBON"), heard(9, "lisbon"))

    assert (fact.seen, fact.last_seen, fact.valid_from) == (3, NOON + DAY * 9, NOON + DAY)
    assert fact.confidence == pytest.approx(1 - 0.1 * 0.25)


def test_repetition_counts_from_the_day_it_took_over() -> None:
    assert settled(heard(1, "Lisbon"), heard(2, "Rome"), heard(3, "Lisbon")).seen == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_confidence_grows_and_never_becomes_certainty(confidences: list[float]) -> None:
    sure = reinforce_confidence(max(confidences), len(confidences))

    assert max(confidences) <= sure <= max(CONFIDENCE_MAX, *confidences, 0)
    assert reinforce_confidence(max(confidences), len(confidences) + 1) >= sure


def test_a_half_life_halves_and_what_does_not_pass_does_not_fade() -> None:
    for kind, half_life in HALF_LIFE.items():
        later = NOON + (half_life or DAY * 5000)
        left = decay_confidence(0.8, kind, Trust.USER_STATED, last_seen=NOON, now=later)
        assert left == (0.4 if half_life else 0.8)
        assert decay_confidence(0.8, kind, Trust.CORRECTED, last_seen=NOON, now=later) == 0.8


def test_a_fact_is_read_as_sure_as_it_still_is() -> None:
    plan = settled(heard(1, "see Rome", kind="plan"))

    assert plan.with_confidence_at(NOON + DAY * 31).confidence == pytest.approx(plan.confidence / 2)
    assert plan.with_confidence_at(NOON).confidence == plan.confidence


@pytest.mark.parametrize(
    "name", ["city", "location.city", "lives_in", "Lives in", "home.city", "HOME.CITY", "current-city"]
)
def test_one_home_has_one_key_whatever_a_model_calls_it(name: str) -> None:
    assert fact_key(name, "Lisbon") == "home.city"


def test_every_synonym_leads_to_a_path_of_its_own() -> None:
    assert all(normalize_path(path) == path for path in {*SYNONYMS.values(), *SINGLE_VALUED})


def test_the_same_fact_as_text_and_as_preference_is_one() -> None:
    assert (
        len(
            {
                fact_key(name, "green tea")
                for name in ("likes", "loves", "enjoys", "interests", "preference.likes")
            }
        )
        == 1
    )


def test_six_years_replace_five() -> None:
    assert fact_key("work.years", "five years") == fact_key("work.years", "six years")
