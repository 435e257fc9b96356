"""functions/index: what is kept of the past of a fact, and of the summaries of conversations."""

from datetime import timedelta
from typing import Any

import pytest

from membus.conversations.summary import Summary, SummaryVerification
from membus.core.identity import Owner
from membus.facts.fact import Fact
from tests.factories import ADA, NOON, an_observation, learn
from tests.fakes.facts import InMemoryFacts
from tests.support.memories import look
from tests.unit.test_index import Index, change, of_fact

DAY = timedelta(days=1)
SUMMARY_PK = "T#acme#C#c1"


@pytest.fixture
def index() -> Index:
    return Index()


def a_summary(text: str = "They agreed on Lisbon.", **fields: Any) -> Summary:
    defaults: dict[str, Any] = {
        "level": 0,
        "first": "01A",
        "last": "01B",
        "text": text,
        "slots": (),
        "version": 1,
        "model": "m",
        "verification": SummaryVerification(slots=0, passes=1),
        "prompt_version": "1",
        "created_at": NOON,
    }
    return Summary.model_validate(defaults | fields)


def of_summary(new: Summary | None, old: Summary | None = None, *, pk: str = SUMMARY_PK) -> dict[str, Any]:
    bodies = (each.model_dump_json() if each else None for each in (new, old))
    return change(pk, "SUMMARY#0#01A", *bodies)


def known(index: Index, owner: Owner = ADA) -> Fact:
    return index.facts.get_fact(owner, "home.city")


def test_a_value_that_was_replaced_is_found_as_of_its_time(index: Index) -> None:
    learn(index.facts, ADA, an_observation("Lisbon", event_id="e1"))
    lisbon = known(index)
    learn(index.facts, ADA, an_observation("Porto", event_id="e2", valid_from=NOON + 10 * DAY))
    index.take(of_fact(lisbon), of_fact(known(index), lisbon, number="2"))

    assert look(index.memories, "Lisbon", mode="text") == []
    assert look(index.memories, "Lisbon", mode="text", as_of=NOON + DAY) == ["fact:ada:home.city"]
    assert look(index.memories, "Porto", mode="text", as_of=NOON + DAY) == []


def test_a_rebuild_that_leaves_fewer_observations_is_what_is_found(index: Index) -> None:
    learn(index.facts, ADA, an_observation("Lisbon", event_id="e1"))
    learn(index.facts, ADA, porto := an_observation("Porto", event_id="e2", valid_from=NOON + DAY))
    was = known(index)
    index.take(of_fact(was, revisions=(2, 1)))
    rebuilt = InMemoryFacts()
    learn(rebuilt, ADA, porto.model_copy(update={"value": "Faro"}))
    index.facts = rebuilt

    index.take(of_fact(known(index), was, number="2", revisions=(3, 2)))

    assert known(index).version < was.version
    assert look(index.memories, "Faro", mode="text") == ["fact:ada:home.city"]
    assert look(index.memories, "Lisbon", mode="text", as_of=NOON + timedelta(hours=1)) == []


def test_a_fact_that_a_rebuild_removed_may_be_learned_again(index: Index) -> None:
    learn(index.facts, ADA, an_observation("Lisbon"))
    lisbon = known(index)

    index.take(of_fact(lisbon, revisions=(9, 8)), of_fact(None, lisbon, number="2", revisions=(9, 9)))
    index.take(of_fact(lisbon, number="3", revisions=(11, 10)))

    assert look(index.memories, "Lisbon", mode="text") == ["fact:ada:home.city"]


def test_no_write_of_a_fact_is_told_under_the_name_of_another(index: Index) -> None:
    """A rebuild may leave a fact at the version that it had: its revision tells the two apart."""
    learn(index.facts, ADA, an_observation("Lisbon"))
    lisbon = known(index)
    rome = lisbon.model_copy(update={"value": "Rome"})

    index.take(of_fact(rome, lisbon, revisions=(5, 4)), of_fact(lisbon, rome, number="2", revisions=(6, 5)))
    index.take(of_fact(rome, lisbon, number="3", revisions=(7, 6)), of_fact(rome, lisbon, revisions=(7, 6)))
    index.take(
        of_fact(None, rome, number="4", revisions=(7, 7)), of_fact(None, rome, number="5", revisions=(9, 9))
    )

    told = [event.event_id for event in index.bus.published]
    assert (len(told), len(set(told))) == (6, 5), (
        "the third was delivered twice, and no other shares its name"
    )


def test_a_summary_is_found_by_the_owner_of_its_conversation(index: Index) -> None:
    index.take(of_summary(a_summary()))

    assert look(index.memories, "agreed", mode="text", scope="U#ada", kinds=("summary",)) == [
        "summary:c1:0:01A"
    ]
    assert look(index.memories, "agreed", mode="text", scope="U#bob") == []


def test_a_summary_that_is_removed_is_found_no_more(index: Index) -> None:
    index.take(of_summary(a_summary()), of_summary(None, a_summary()))

    assert look(index.memories, "agreed") == []


def test_a_summary_of_a_conversation_that_is_gone_is_not_indexed(index: Index) -> None:
    assert index.take(of_summary(a_summary(), pk="T#acme#C#c2")) == []

    assert look(index.memories, "agreed") == []
    assert index.quarantine.parked == []
