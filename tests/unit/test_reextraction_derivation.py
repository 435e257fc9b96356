"""scripts/reextraction: facts are a projection of events; derived again they are the same."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.extract.ports import FactPorts
from functions.extract.reading import STANDARD_READING
from membus.core.errors import BudgetError, UnavailableError
from membus.core.event import Event
from membus.facts.observation import Observation, Trust
from scripts.reextraction.derivation import DerivedFacts, DraftFacts, compare_facts, derive_facts, fold_facts
from tests.factories import ADA, NOON, a_server_error, a_setting, an_event, an_observation, said
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, observant

MINUTE = timedelta(minutes=1)
WEEK: list[Event] = [
    said("I live in Lisbon", "e1"),
    said("I like tea", "e2", occurred_at=NOON + MINUTE),
    a_setting("e3", occurred_at=NOON + 2 * MINUTE),
    *(a_server_error(f"x{n}", at=NOON + (3 + n) * MINUTE / 2) for n in range(3)),
    said("I live in Rome", "e4", occurred_at=NOON + 9 * MINUTE),
]


class Forbidden(ScriptedModel):
    """A model that must not be called."""

    def __init__(self) -> None:
        super().__init__(UnavailableError("the model must not be called"))


def lived() -> Extraction:
    extraction = Extraction(observant())
    for event in WEEK:
        extraction.send(event)
    return extraction


def again(extraction: Extraction, model: ScriptedModel, *, known: bool = True) -> DerivedFacts:
    """Derive Ada's facts anew; unless `known`, nothing was answered about her events before."""
    episodes = extraction.episodes
    assert isinstance(episodes, InMemoryEpisodes)

    def ports_for(draft: DraftFacts) -> FactPorts:
        fresh = Extraction(model, answers=episodes if known else InMemoryEpisodes())
        return replace(fresh.ports(), facts=draft)

    return derive_facts(
        ADA, episodes.contents.values(), ports_for=ports_for, reading_for=lambda _: STANDARD_READING
    )


def test_same_version_derives_the_same_facts_without_a_model_call() -> None:
    extraction = lived()
    nobody = Forbidden()

    derived = again(extraction, nobody)

    stored = extraction.facts.list_observations(ADA)
    assert nobody.prompts == []
    assert derived.unread == {}
    assert fold_facts(derived.observations) == fold_facts(stored)
    assert sorted(map(str, derived.merge_with(stored))) == sorted(map(str, stored))
    assert not compare_facts(stored, derived.merge_with(stored))


def test_other_version_of_the_prompt_asks_the_model_again() -> None:
    extraction, reader = lived(), observant()

    derived = again(extraction, reader, known=False)

    assert len(reader.prompts) == 1
    assert set(derived.answers) == {"e1", "e2", "e4"}
    assert fold_facts(derived.observations) == fold_facts(extraction.facts.list_observations(ADA))


def test_event_that_cannot_be_read_again_keeps_its_observations() -> None:
    extraction = lived()

    derived = again(extraction, Forbidden(), known=False)

    stored = extraction.facts.list_observations(ADA)
    assert set(derived.unread) == {"e1", "e2", "e4"}
    assert fold_facts(derived.merge_with(stored)) == fold_facts(stored)


def test_answers_of_another_model_change_facts_and_the_difference_is_reported() -> None:
    extraction = lived()
    sharper = ScriptedModel('{"facts": []}')

    derived = again(extraction, sharper, known=False)
    stored = extraction.facts.list_observations(ADA)

    assert compare_facts(stored, derived.merge_with(stored)) == {
        "home.city": ("Rome", None),
        "likes.tea": ("tea", None),
    }
    assert "setting.theme" in fold_facts(derived.merge_with(stored))


def test_deleted_event_has_no_derived_facts() -> None:
    extraction = lived()
    episodes = extraction.episodes
    assert isinstance(episodes, InMemoryEpisodes)
    stored = extraction.facts.list_observations(ADA)
    del episodes.contents[ADA, "e2"]

    derived = again(extraction, Forbidden())

    assert "likes.tea" not in fold_facts(derived.observations)
    assert "likes.tea" in fold_facts(derived.merge_with(stored)), (
        "erasing is erasure's; a rebuild keeps what it cannot judge"
    )


def test_no_events_derive_no_facts() -> None:
    assert again(Extraction(observant()), Forbidden()).observations == ()
    assert again(Extraction(observant()), Forbidden()).merge_with([]) == []


def test_correction_survives_a_replay() -> None:
    extraction = lived()
    extraction.send(
        an_event(
            "c1",
            type="fact.corrected",
            occurred_at=NOON + 20 * MINUTE,
            payload={"key": "home.city", "value": "Porto"},
            origin="api",
        )
    )

    stored = extraction.facts.list_observations(ADA)
    derived = again(extraction, Forbidden())

    assert fold_facts(derived.observations)["home.city"].value == "Porto"
    assert fold_facts(derived.merge_with(stored)) == fold_facts(stored)


def test_replay_over_budget_keeps_the_stored_facts() -> None:
    extraction = lived()

    derived = again(extraction, ScriptedModel(BudgetError("spent")), known=False)

    stored = extraction.facts.list_observations(ADA)
    assert {event_id: error.code for event_id, error in derived.unread.items()} == dict.fromkeys(
        ("e1", "e2", "e4"), "budget_exhausted"
    )
    assert not compare_facts(stored, derived.merge_with(stored))


def under(key: str, seen: Observation) -> Observation:
    return seen.model_copy(update={"key": key})


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (["C++", None], set()),
        (["C#"], {"C#"}),
        (["C#", None], set()),
        ([], {"C++"}),
    ],
)
def test_corrections_reach_the_keys_that_their_values_have_now(
    changes: list[str | None], left: set[str]
) -> None:
    """An older version stored C++ as `skill.c`, under which a person corrected it or took it back."""
    said_it = an_observation("C++", key="skill.c-cedb1bac", event_id="e1")
    corrections = [
        an_observation(
            value,
            key="skill.c",
            event_id=f"c{number}",
            trust=Trust.CORRECTED,
            valid_from=NOON + number * MINUTE,
        )
        for number, value in enumerate(changes, start=1)
    ]
    stored = [under("skill.c", said_it), *corrections]
    derived = DerivedFacts((said_it, *corrections), frozenset({"e1", "c1", "c2"}))

    once = derived.merge_with(stored)
    twice = derived.merge_with(once)

    for after in (once, twice):
        facts = fold_facts(after).values()
        assert {fact.value for fact in facts if not fact.is_retracted} == left


def test_corrections_of_keys_that_stay_are_not_carried() -> None:
    said_it = an_observation("C", key="skill.c", event_id="e1")
    gone = an_observation(None, key="skill.c", event_id="c1", trust=Trust.CORRECTED, valid_from=NOON + MINUTE)
    other = an_observation("C++", key="skill.c-cedb1bac", event_id="e2")
    derived = DerivedFacts((said_it, gone, other), frozenset({"e1", "e2", "c1"}))

    facts = fold_facts(derived.merge_with([said_it, gone]))

    assert {key for key, fact in facts.items() if not fact.is_retracted} == {"skill.c-cedb1bac"}
