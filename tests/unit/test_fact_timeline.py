"""functions/api/facts/timeline: values over time, against a model that paints each value over its days."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from functions.api.facts.timeline import FactTimeline
from membus.facts.fact import fact_as_of, fold, list_versions, observations_as_of
from membus.facts.observation import Observation, Trust
from membus.facts.resolution import truth_order
from tests.factories import NOON, an_observation

DAY = timedelta(days=1)
DAYS = range(-6, 16)


@st.composite
def words(draw: st.DrawFn, number: int) -> Observation:
    """Draw what somebody said on a day of that day or an earlier one, sometimes with an end."""
    said, back = draw(st.integers(0, 10)), draw(st.sampled_from([0, 0, 0, 2, 5]))
    begins = NOON + DAY * (said - back)
    ends = draw(st.sampled_from([None, None, begins + DAY * 3]))
    return an_observation(
        draw(st.sampled_from(["Lisbon", "LISBON", "Rome", "Oslo"])),
        event_id=f"e{number}",
        valid_from=begins,
        valid_until=ends,
        said_at=NOON + DAY * said,
        learned_at=NOON + DAY * (said + draw(st.integers(0, 5))),
    )


said = st.integers(0, 7).flatmap(lambda count: st.tuples(*(words(number) for number in range(count))))


@st.composite
def trusted(draw: st.DrawFn) -> list[Observation]:
    """Draw words of people and rumours."""
    return [each.model_copy(update={"trust": draw(st.sampled_from(Trust))}) for each in draw(said)]


def painted(seen: Sequence[Observation]) -> dict[int, str]:
    """Return what each day shows when words are laid over it one after the other, the latest said on top."""
    wall: dict[int, str] = {}
    for each in sorted(seen, key=truth_order):
        covered = [
            day
            for day in DAYS
            if each.valid_from <= at(day) and (each.valid_until is None or at(day) < each.valid_until)
        ]
        wall |= dict.fromkeys(covered, (each.value or "").casefold())
    return wall


def at(day: int) -> datetime:
    return NOON + DAY * day


@given(said)
def test_value_of_a_day_is_the_last_one_set_over_it(seen: tuple[Observation, ...]) -> None:
    wall, timeline = painted(seen), FactTimeline(seen)

    for day in DAYS:
        folded = timeline.fact_at(at(day))
        assert (folded.value or "").casefold() == wall[day] if folded else day not in wall


@st.composite
def mixed(draw: st.DrawFn) -> list[Observation]:
    """Draw words of people and rumours, denials, settings, retractions and pinned corrections."""
    seen = []
    for each in draw(trusted()):
        own = each.trust is Trust.USER_STATED and draw(st.booleans())
        is_setting = each.trust is Trust.OBSERVED and draw(st.booleans())
        corrected = each.trust is Trust.CORRECTED
        retracted = corrected and draw(st.booleans())
        fields = {
            "denies": own,
            "kind": "setting" if is_setting else each.kind,
            "pinned": corrected and not retracted and draw(st.booleans()),
        }
        seen.append(each.model_copy(update=fields | ({"value": None} if retracted else {})))
    return seen


@given(mixed())
def test_ends_agree_with_the_fold_in_any_mix(seen: list[Observation]) -> None:
    timeline = FactTimeline(seen)

    for each in seen:
        facts = {day: fact_as_of(seen, true_at=at(day)) for day in DAYS if at(day) >= each.valid_from}
        holds = [fact is not None and fact.has_same_value_as(each) for fact in facts.values()]
        if holds and holds[0] and not all(holds):
            assert timeline.end_of(each) == at(list(facts)[holds.index(False)])
        else:
            assert timeline.end_of(each) == each.valid_until


@given(trusted())
@example(
    [
        an_observation("Lisbon", event_id="e0", valid_from=at(0), valid_until=at(5)),
        an_observation(
            "Paris", event_id="e1", trust=Trust.THIRD_PARTY, valid_from=at(2), said_at=at(9), learned_at=at(9)
        ),
    ]
)
def test_observation_of_highest_trust_holds_on_any_day(seen: list[Observation]) -> None:
    for day in DAYS:
        true_then, fact = (
            observations_as_of(seen, true_at=at(day), known_at=None),
            fact_as_of(seen, true_at=at(day)),
        )
        corrections = [each for each in true_then if each.trust is Trust.CORRECTED]
        assert (fact.trust.rank if fact else None) == max(
            (each.trust.rank for each in true_then), default=None
        ) or (fact and any(map(fact.is_said_since, corrections)))


@given(said)
def test_value_ends_on_the_first_day_with_another(seen: tuple[Observation, ...]) -> None:
    wall, timeline = painted(seen), FactTimeline(seen)

    for each in seen:
        value, begins = (each.value or "").casefold(), (each.valid_from - NOON) // DAY
        shown = [day for day in DAYS if day >= begins and wall.get(day) != value]
        if wall.get(begins) == value:
            assert timeline.end_of(each) == (at(shown[0]) if shown else each.valid_until)
        else:
            assert timeline.end_of(each) == each.valid_until, "what never held ended nowhere"


@given(said, st.sampled_from(DAYS))
def test_facts_known_on_a_day_need_no_later_observation(seen: tuple[Observation, ...], day: int) -> None:
    then = [each for each in seen if each.learned_at <= at(day)]

    for other in DAYS:
        assert fact_as_of(seen, true_at=at(other), known_at=at(day)) == fact_as_of(then, true_at=at(other))


@given(said)
def test_exactly_one_version_of_a_fact_is_current(seen: tuple[Observation, ...]) -> None:
    versions, fact = list_versions(seen), fold(seen)

    current = [each.provenance.event_id for each in versions if each.current]
    assert current == ([fact.provenance.event_id] if fact else [])
    assert [each.version for each in versions] == list(range(1, len(seen) + 1))
