"""functions/extract: what arrives again, late, altered or poisoned, and what goes back to the queue."""

from datetime import timedelta
from typing import Any

import pytest

from functions.extract.facts import COMMIT_RETRY
from membus.core.errors import ConflictError, MembusError, ModelError, UnavailableError
from membus.core.event import Event
from membus.core.identity import Owner
from membus.facts.ports import FactCommit
from membus.facts.rules import Signal, SignalMark
from membus.tenants.settings import ExtractionSettings, MemorySettings
from scripts.reextraction.signals import InMemorySignals
from tests.factories import ADA, NOON, a_server_error, an_event, an_observation, learn, recorded, said
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.fakes.model import Line, ScriptedModel
from tests.support.extraction import Extraction, a_message, observant, shown

BOB = Owner(tenant="acme", user="bob")
DOWN = UnavailableError("the model cannot be reached right now")
REFUSED = ModelError("refused", reason="refused")


class RivalledFacts(InMemoryFacts):
    """Somebody else commits first, `times` times."""

    def __init__(self, episodes: InMemoryEpisodes, times: int) -> None:
        super().__init__(episodes)
        self._left = times

    def commit(self, change: FactCommit) -> None:
        if self._left and change.facts:
            self._left -= 1
            rival = an_observation("tea", key=f"likes.tea{self._left}", event_id=f"rival{self._left}")
            learn(InMemoryFactsView(self), change.profile.owner, rival)
        super().commit(change)


class InMemoryFactsView:
    """The same facts without the rival."""

    def __init__(self, facts: InMemoryFacts) -> None:
        self._facts = facts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._facts, name)

    def commit(self, change: FactCommit) -> None:
        InMemoryFacts.commit(self._facts, change)


class BrokenSignals(InMemorySignals):
    """A defect that nobody foresaw, for one user."""

    def add_signal(self, owner: Owner, signal: Signal) -> set[SignalMark]:
        if owner == BOB:
            raise KeyError("nobody foresaw this")
        return super().add_signal(owner, signal)


class BrokenEpisodes(InMemoryEpisodes):
    """A defect that nobody foresaw, for one event."""

    def record_event(self, recorded: Any, *, extracted: str | None) -> Any:
        if recorded.event.event_id == "poison":
            raise ValueError("nobody foresaw this")
        return super().record_event(recorded, extracted=extracted)


def failing_for(user: str, line: Line) -> ScriptedModel:
    """Return a model that fails whenever it is shown something of one speaker, and else reads as usual."""
    reader = observant()

    def read(prompt: Any) -> str:
        if any(each["speaker"] == user for each in shown(prompt)):
            assert isinstance(line, MembusError)
            raise line
        return reader.generate_reply(prompt, max_tokens=1, timeout_seconds=1).text

    return ScriptedModel(read)


def test_an_event_delivered_again_changes_nothing_and_asks_no_model() -> None:
    extraction = Extraction(observant())
    extraction.send(said("I live in Lisbon"))
    before = extraction.facts.get_profile(ADA)

    for _ in range(3):
        assert extraction.send(said("I live in Lisbon")) == []

    assert extraction.facts.get_profile(ADA) == before
    assert len(extraction.prompts()) == 1


def test_a_hundred_copies_in_one_batch_are_one_event() -> None:
    extraction = Extraction(observant())
    copies = [a_message(said("I live in Lisbon"), f"m{number}") for number in range(100)]

    assert extraction.deliver(*copies) == []

    assert extraction.facts.get_fact(ADA, "home.city").version == 1
    assert [len(shown(prompt)) for prompt in extraction.prompts()] == [1]


@pytest.mark.parametrize("again", ["same batch", "later"])
@pytest.mark.parametrize(
    "fields",
    [
        {"agent_id": "x"},
        {"occurred_at": NOON + timedelta(days=9)},
        {"type": "note.added"},
    ],
)
def test_a_copy_that_says_something_else_is_still_the_first_event(again: str, fields: dict[str, Any]) -> None:
    extraction = Extraction(observant())
    first = a_message(said("I live in Lisbon"), "m1")
    altered = a_message(an_event(**{"payload": {"text": "I live in Rome"}} | fields), "m2")

    for batch in ([first, altered],) if again == "same batch" else ([first], [altered]):
        assert extraction.deliver(*batch) == []

    assert extraction.known() == {"home.city": "Lisbon"}
    assert extraction.known(BOB) == {}
    assert extraction.facts.get_fact(ADA, "home.city").version == 1


def test_a_late_event_does_not_win_over_a_newer_one() -> None:
    extraction = Extraction(observant())

    extraction.send(said("I live in Rome", "new", occurred_at=NOON + timedelta(days=1)))
    extraction.send(said("I live in Lisbon", "old"))

    fact = extraction.facts.get_fact(ADA, "home.city")
    assert (fact.value, fact.replaced, fact.version) == ("Rome", "Lisbon", 2)


def test_a_new_extractor_reads_old_events_anew() -> None:
    extraction = Extraction(observant())
    message = a_message(said("I live in Lisbon"))

    for wanted in ("", "", "Keep what they grow."):
        own = ExtractionSettings(instructions=wanted)
        extraction.settings.change(ADA.tenant, MemorySettings(extraction=own))
        extraction.deliver(message)

    assert len(extraction.prompts()) == 2
    assert extraction.facts.get_fact(ADA, "home.city").version == 1


@pytest.mark.parametrize("fault", [DOWN, ModelError("cut", reason="cut_off")])
def test_a_model_that_fails_for_one_user_costs_only_its_messages(fault: MembusError) -> None:
    extraction = Extraction(failing_for("bob", fault))
    mine, theirs = said("I like tea"), [said("I like chess", f"b{n}", owner=BOB) for n in range(2)]

    assert extraction.send(mine, *theirs) == ["m-b0", "m-b1"]

    assert extraction.failures == [("m-b0", fault.code), ("m-b1", fault.code)]
    assert extraction.known() == {"likes.tea": "tea"}
    assert extraction.episodes.record_event(recorded(theirs[0]), extracted=None).extracted is None


def test_what_failed_is_learned_on_the_next_delivery() -> None:
    extraction = Extraction(
        ScriptedModel(
            DOWN, lambda prompt: observant().generate_reply(prompt, max_tokens=1, timeout_seconds=1).text
        )
    )

    assert extraction.send(said("I like tea")) == ["m-e1"]
    assert extraction.send(said("I like tea")) == []

    assert extraction.known() == {"likes.tea": "tea"}


def test_every_copy_of_an_event_that_failed_goes_back() -> None:
    extraction = Extraction(ScriptedModel(DOWN))

    assert extraction.deliver(a_message(said("I like tea"), "m1"), a_message(said("I like tea"), "m2")) == [
        "m1",
        "m2",
    ]


def test_messages_that_come_back_after_an_outage_share_one_call_again() -> None:
    extraction = Extraction(observant())
    again = [a_message(said(f"I like {n}", f"e{n}"), f"m{n}", receives=3) for n in ("tea", "rum", "ale")]

    assert extraction.deliver(*again) == []

    assert [len(shown(prompt)) for prompt in extraction.prompts()] == [3]


def test_a_defect_that_nobody_foresaw_costs_only_its_own_message() -> None:
    extraction = Extraction(observant(), episodes=BrokenEpisodes())

    assert extraction.send(said("I like tea"), said("I like rum", "poison"), said("I like gin", "e3")) == [
        "m-poison"
    ]

    assert extraction.known() == {"likes.tea": "tea", "likes.gin": "gin"}


def test_a_defect_that_one_event_brings_out_costs_only_that_event() -> None:
    class Picky(InMemorySignals):
        def add_signal(self, owner: Owner, signal: Signal) -> set[SignalMark]:
            if signal.mark.event_id == "b2":
                raise KeyError("nobody foresaw this")
            return super().add_signal(owner, signal)

    extraction = Extraction(observant(), signals=Picky())

    assert extraction.send(said("I like tea"), *(a_server_error(f"b{n}") for n in range(4))) == ["m-b2"]

    assert extraction.known() == {
        "likes.tea": "tea",
        "frustrated_by.error-500": "HTTP 500 on /checkout, 3 times",
    }


def test_a_defect_that_nobody_foresaw_costs_only_its_own_user() -> None:
    extraction = Extraction(observant(), signals=BrokenSignals())

    assert extraction.send(a_server_error("b1", owner=BOB), said("I like tea")) == ["m-b1"]

    assert extraction.known() == {"likes.tea": "tea"}


@pytest.mark.parametrize("rivals", [1, COMMIT_RETRY.tries - 1])
def test_a_lost_race_is_run_again_on_what_the_winner_wrote(rivals: int) -> None:
    episodes = InMemoryEpisodes()
    facts = RivalledFacts(episodes, rivals)
    extraction = Extraction(observant(), episodes=episodes, facts=facts)

    assert extraction.send(said("I live in Lisbon")) == []

    assert extraction.known()["home.city"] == "Lisbon"
    assert len(extraction.known()) == rivals + 1
    assert extraction.facts.get_profile(ADA).version == rivals + 1


def test_a_race_that_is_always_lost_goes_back_to_the_queue() -> None:
    episodes = InMemoryEpisodes()
    extraction = Extraction(observant(), episodes=episodes, facts=RivalledFacts(episodes, COMMIT_RETRY.tries))

    assert extraction.send(said("I live in Lisbon")) == ["m-e1"]

    assert extraction.failures[0][1] == ConflictError.code
    assert "home.city" not in extraction.known()


def test_a_race_that_is_always_lost_costs_one_question_however_often_it_comes_back() -> None:
    episodes = InMemoryEpisodes()
    extraction = Extraction(
        observant(), episodes=episodes, facts=RivalledFacts(episodes, 2 * COMMIT_RETRY.tries)
    )
    for receives in (1, 2):
        assert extraction.deliver(a_message(said("I live in Lisbon"), receives=receives)) == ["m1"]

    assert extraction.deliver(a_message(said("I live in Lisbon"), receives=3)) == []

    assert extraction.known()["home.city"] == "Lisbon"
    assert len(extraction.prompts()) == 1


def test_who_loses_a_race_waits_a_random_while_that_grows() -> None:
    episodes = InMemoryEpisodes()
    extraction = Extraction(observant(), episodes=episodes, facts=RivalledFacts(episodes, COMMIT_RETRY.tries))

    extraction.send(said("I live in Lisbon"))

    assert len(extraction.pauses) == COMMIT_RETRY.tries - 1
    assert all(
        0 <= pause <= COMMIT_RETRY.pause_seconds * 2**tried for tried, pause in enumerate(extraction.pauses)
    )
    assert len(set(extraction.pauses)) > 1


def test_who_has_no_time_left_to_wait_goes_back_to_the_queue_at_once() -> None:
    episodes = InMemoryEpisodes()
    extraction = Extraction(observant(), episodes=episodes, facts=RivalledFacts(episodes, COMMIT_RETRY.tries))
    extraction.seconds = iter([30.0, 0.01])

    assert extraction.send(said("I live in Lisbon")) == ["m-e1"]

    assert extraction.pauses == []


def test_behaviour_completed_by_a_late_event_is_seen() -> None:
    extraction = Extraction()
    early, middle, last = (a_server_error(f"e{n}", at=NOON + timedelta(minutes=n)) for n in range(3))

    for event in (last, early, middle):
        extraction.send(event)

    fact = extraction.facts.get_fact(ADA, "frustrated_by.error-500")
    assert (fact.valid_from, fact.provenance.event_id, fact.version) == (NOON + timedelta(minutes=2), "e2", 1)


@pytest.mark.parametrize("event", [said("I like tea"), an_event(type="page.viewed", payload={})])
def test_an_episode_store_that_is_down_sends_everything_back(event: Event) -> None:
    class Down(InMemoryEpisodes):
        def record_event(self, recorded: Any, *, extracted: str | None) -> Any:
            raise UnavailableError("the table is busy")

    extraction = Extraction(observant(), episodes=Down())

    assert extraction.send(event) == ["m-e1"]
    assert extraction.models_loaded == 0


@pytest.mark.parametrize("again", ["same batch", "later"])
def test_one_id_of_two_users_is_read_for_each(again: str) -> None:
    """They speak in one session, so that one question would hold both."""
    extraction = Extraction(observant())
    first = a_message(said("I live in Lisbon", session_id="s"), "m1")
    other = a_message(said("I live in Rome", user_id="bob", session_id="s"), "m2")

    for batch in ([first, other],) if again == "same batch" else ([first], [other]):
        assert extraction.deliver(*batch) == []

    assert extraction.known() == {"home.city": "Lisbon"}
    assert extraction.known(BOB) == {"home.city": "Rome"}
