"""The port AnswerStore: what a model once proposed, by the question, beside its event and gone with it."""

import pytest

from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from membus.facts.candidates import EventAnswer
from membus.facts.ports import AnswerStore, FactCommit, FactStore, ModelQuery
from membus.facts.profile import Profile
from tests.factories import a_candidate, an_event, recorded

ASKED = {"prompt_version": "1", "model": "anthropic.claude-haiku-5-5:0"}
SAID = EventAnswer(by="claude-haiku-5-5-20260101", candidates=(a_candidate(),))


@pytest.fixture
def known(episodes: EpisodeStore, owner: Owner) -> Owner:
    for event_id in ("e1", "e2", "e3"):
        episodes.record_event(recorded(an_event(event_id, owner=owner)), extracted=None)
    return owner


def test_answers_are_kept_by_question(answers: AnswerStore, known: Owner) -> None:
    answers.save_answers(known, {"e1": [SAID], "e2": [EventAnswer(by="m")]}, **ASKED)

    kept = answers.get_answers(dict.fromkeys(["e1", "e2", "e3"], known), **ASKED)

    assert {event_id: tuple(given) for event_id, given in kept.items()} == {
        "e1": (SAID,),
        "e2": (EventAnswer(by="m"),),
    }
    assert answers.get_answers(dict.fromkeys(["e1"], known), prompt_version="2", model=ASKED["model"]) == {}
    assert answers.get_answers(dict.fromkeys(["e1"], known), prompt_version="1", model="another") == {}
    assert answers.get_answers({"e1": Owner(tenant=known.tenant, user="another")}, **ASKED) == {}


def test_a_hundred_events_and_more_are_asked_for_at_once(answers: AnswerStore, known: Owner) -> None:
    answers.save_answers(known, {"e3": [SAID]}, **ASKED)

    assert set(
        answers.get_answers(dict.fromkeys([*(f"x{n}" for n in range(230)), "e3"], known), **ASKED)
    ) == {"e3"}


def test_for_an_event_that_is_not_there_nothing_is_kept(answers: AnswerStore, known: Owner) -> None:
    answers.save_answers(known, {"gone": [SAID]}, **ASKED)

    assert answers.get_answers(dict.fromkeys(["gone"], known), **ASKED) == {}


def test_one_question_is_forgotten_and_the_others_stay(answers: AnswerStore, known: Owner) -> None:
    answers.save_answers(known, {"e1": [SAID]}, **ASKED)
    answers.save_answers(known, {"e1": [EventAnswer(by="m")]}, prompt_version="2", model="m")

    answers.delete_answers(known, ["e1", "gone"], **ASKED)

    assert answers.get_answers(dict.fromkeys(["e1"], known), **ASKED) == {}
    assert set(answers.get_answers(dict.fromkeys(["e1"], known), prompt_version="2", model="m")) == {"e1"}


def test_a_commit_keeps_the_answers_of_the_events_it_marks(
    answers: AnswerStore, facts: FactStore, known: Owner
) -> None:
    asked = ModelQuery(answers={"e1": [SAID], "e3": [SAID]}, **ASKED)
    events = tuple(recorded(an_event(event_id, owner=known)) for event_id in ("e1", "e2"))

    facts.commit(FactCommit(profile=Profile(owner=known), extractor="v1", events=events, query=asked))

    assert set(answers.get_answers(dict.fromkeys(["e1", "e2", "e3"], known), **ASKED)) == {"e1"}
