"""functions/extract: without money rules are applied, no model is asked, and a replay can read the rest."""

from functions.extract.reading import OVER_BUDGET, STANDARD_READING
from membus.core.errors import BudgetError
from membus.core.event import Event
from tests.factories import ADA, a_candidate, a_setting, an_event, said
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, a_message, proposing

LISBON = a_candidate().model_dump()
SPENT = BudgetError("the budget is spent")


def read_at(extraction: Extraction, event: Event) -> str | None:
    episodes = extraction.episodes
    assert isinstance(episodes, InMemoryEpisodes)
    return episodes.record_event(a_message(event, "again").parse_event(), extracted=None).extracted


def test_rules_learn_what_needs_no_money() -> None:
    extraction = Extraction(ScriptedModel(SPENT))

    assert extraction.send(an_event(), a_setting("s1", name="theme", to="dark")) == []

    assert extraction.known() == {"setting.theme": "dark"}
    assert extraction.source_queue.retries == {}
    assert extraction.dead_letters.parked == extraction.poison_messages.parked == []


def test_what_was_not_read_is_marked_so_and_nothing_else_is() -> None:
    extraction = Extraction(ScriptedModel(SPENT))
    extraction.send(an_event(), a_setting("s1"))

    assert read_at(extraction, an_event()) == OVER_BUDGET
    assert read_at(extraction, a_setting("s1")) == STANDARD_READING.version


def test_what_was_not_read_is_read_when_it_comes_again_with_money() -> None:
    extraction = Extraction(ScriptedModel(SPENT))
    extraction.send(an_event())
    extraction.model = proposing(e1=LISBON)

    extraction.send(an_event())

    assert extraction.known() == {"home.city": "Lisbon"}


def test_the_very_next_event_after_the_last_cent_is_not_read() -> None:
    extraction = Extraction(ScriptedModel('{"facts": []}', SPENT))
    extraction.send(said("I like tea", "e1"))

    assert extraction.send(said("I like jazz", "e2")) == []

    assert read_at(extraction, said("I like jazz", "e2")) == OVER_BUDGET
    assert extraction.facts.get_profile(ADA).facts == ()
