"""membus.facts.fact: a snapshot and the observations after it give what all observations do."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from membus.facts.fact import (
    RECENT_OBSERVATIONS_KEPT,
    RECENT_OBSERVATIONS_MAX,
    ObservationHistory,
    ObservationSnapshot,
    build_snapshot,
    fact_from_snapshot,
    fold,
)
from membus.facts.observation import Observation, Trust
from membus.facts.resolution import in_learning_order
from tests.factories import NOON, an_observation

HOUR = timedelta(hours=1)
said = (
    st.tuples(st.sampled_from(["Lisbon", "LISBON", "Paris", "Rome"]), st.sampled_from(Trust))
    | st.just((None, Trust.CORRECTED))
    | st.tuples(st.sampled_from(["Lisbon", "Paris"]), st.just(Trust.USER_STATED), st.just("denied"))
)


@st.composite
def streams(draw: st.DrawFn) -> list[Observation]:
    """Draw observations as they are learned.

    Most in order, some told later, some of a time gone by or at an end.
    """
    return [draw(_observations(number)) for number in range(draw(st.integers(0, 30)))]


@st.composite
def _observations(draw: st.DrawFn, number: int) -> Observation:
    value, trust, *denied = draw(said)
    begins = NOON + HOUR * (number - draw(st.sampled_from([0, 0, 0, 1, 2, 9])))
    ends = draw(st.sampled_from([None, None, None, begins + HOUR * 2])) if value and not denied else None
    seen = an_observation(
        value,
        trust=trust,
        denies=bool(denied),
        event_id=f"e{number}",
        valid_from=begins,
        valid_until=ends,
        learned_at=NOON + HOUR * (number + draw(st.sampled_from([0, 0, 0, 3, 12]))) + timedelta(seconds=1),
    )
    why = seen.provenance.model_copy(update={"agent_id": draw(st.sampled_from(["one", "two"]))})
    return seen.model_copy(update={"provenance": why})


SHORT = {"recent_max": 5, "kept": 3}


class TestAShortTrail:
    @given(streams(), st.randoms(use_true_random=False))
    def test_a_trail_comes_to_what_all_observations_do_in_whatever_order(
        self, seen: list[Observation], random: st.DataObject
    ) -> None:
        random.shuffle(seen)  # type: ignore[attr-defined]
        trail, known = ObservationHistory(()), list[Observation]()
        for each in seen:
            if not trail.can_append([each]):
                trail = ObservationHistory(tuple(known))
            trail, known = trail.with_observations([each]).compact_older(**SHORT), [*known, each]

            assert fact_from_snapshot(trail.full_snapshot) == fold(known)

    @given(streams())
    def test_what_stands_for_the_older_ones_leads_to_the_same_value(self, seen: list[Observation]) -> None:
        trail, whole = ObservationHistory(tuple(in_learning_order(seen))).compact_older(**SHORT), fold(seen)

        fact = fold(trail.relevant_observations)

        assert (fact is None) == (whole is None)
        assert not (fact and whole) or (fact.value or "").casefold() == (whole.value or "").casefold()

    @given(streams())
    def test_what_is_carried_survives_being_stored(self, seen: list[Observation]) -> None:
        carried = build_snapshot(seen)

        assert (
            carried is None or ObservationSnapshot.model_validate_json(carried.model_dump_json()) == carried
        )


def toggled(times: int) -> ObservationHistory:
    trail = ObservationHistory(())
    for number in range(times):
        value = "dark" if number % 2 else "light"
        seen = an_observation(value, kind="setting", event_id=f"e{number}", valid_from=NOON + HOUR * number)
        assert trail.can_append([seen])
        trail = trail.with_observations([seen]).compact_older()
    return trail


def test_a_setting_toggled_a_thousand_times_is_a_short_trail() -> None:
    trail = toggled(1_000)

    assert RECENT_OBSERVATIONS_KEPT <= len(trail.recent) <= RECENT_OBSERVATIONS_MAX
    assert trail.snapshot
    assert len(trail.snapshot.deciding_observations) <= 2
    fact = fact_from_snapshot(trail.full_snapshot)
    assert fact
    assert (fact.version, fact.value, fact.replaced) == (1_000, "dark", "light")


def test_what_comes_too_late_for_the_trail_asks_for_all_there_is() -> None:
    trail = toggled(200)
    old = an_observation("dim", kind="setting", event_id="late", valid_from=NOON)

    assert not trail.can_append([old])
    assert not trail.can_append([old.model_copy(update={"learned_at": NOON + HOUR * 999})])
