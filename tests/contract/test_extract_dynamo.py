"""functions/extract over DynamoDB in this process: what its commits come to as transactions."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from membus.episodes.dynamodb import DynamoEpisodes
from membus.facts.dynamodb import DynamoFacts
from membus.facts.dynamodb_signals import DynamoSignals
from tests.factories import ADA, NOON, a_candidate, a_server_error, a_setting, an_event, said
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, observant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@pytest.fixture
def calls(table: "Table") -> list[str]:
    """Return the operations that are asked of the table from now on."""
    asked: list[str] = []

    def note(*, model: Any, **_: object) -> None:
        asked.append(model.name)

    table.meta.client.meta.events.register_first("before-call.dynamodb", note)
    return asked


def extraction(table: "Table", model: ScriptedModel | None = None) -> Extraction:
    facts, episodes, signals = (
        DynamoFacts(table),
        DynamoEpisodes(table, InMemoryBlobs()),
        DynamoSignals(table),
    )
    return Extraction(model or observant(), facts=facts, episodes=episodes, signals=signals)


def failures(extraction: Extraction) -> list[str]:
    return [str(error) for _, error in extraction.failures]


def test_batch_of_every_event_type_is_extracted(table: "Table") -> None:
    learning = extraction(table)

    learning.send(
        said("I live in Lisbon"),
        a_setting(),
        said("I like tea", "e2", remember=False),
        *(a_server_error(f"r{n}", at=NOON + timedelta(minutes=n)) for n in range(3)),
    )

    assert failures(learning) == []
    assert learning.known() == {
        "home.city": "Lisbon",
        "setting.theme": "dark",
        "frustrated_by.error-500": "HTTP 500 on /checkout, 3 times",
    }


@pytest.mark.parametrize("count", [39, 40, 41, 95])
def test_more_facts_than_fit_one_transaction_are_all_stored(table: "Table", count: int) -> None:
    learning = extraction(table)

    learning.send(said(". ".join(f"I like thing{number}" for number in range(count))))

    assert failures(learning) == []
    assert len(learning.known()) == count


def test_duplicate_candidates_of_one_event_are_one_fact(table: "Table") -> None:
    twice = [a_candidate().model_dump(), a_candidate(value="Lissabon").model_dump()]
    learning = extraction(table, ScriptedModel(json.dumps({"facts": twice})))

    learning.send(an_event())

    assert failures(learning) == []
    assert len(learning.facts.list_observations(ADA)) == 1


def test_the_longest_facts_of_a_full_batch_fit_one_transaction(table: "Table") -> None:
    words = ["\U00020000" * 200 + str(number) for number in range(4)]
    learning = extraction(table)

    learning.send(*(said(". ".join(f"I like {word}"[:200] for word in words), f"e{n}") for n in range(10)))

    assert failures(learning) == []


def test_event_without_text_or_rule_costs_one_request(table: "Table", calls: list[str]) -> None:
    extraction(table).send(an_event(type="page.viewed", payload={"path": "/"}))

    assert calls == ["TransactWriteItems"]


def test_an_event_delivered_again_costs_no_second_commit(table: "Table", calls: list[str]) -> None:
    extraction(table).send(said("I live in Lisbon"))
    first = len(calls)
    extraction(table).send(said("I live in Lisbon"))

    assert calls[first:] == ["TransactWriteItems", "GetItem", "GetItem"]
