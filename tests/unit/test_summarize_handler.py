"""functions/summarize/handler: what failed goes back to the queue, and nothing else does."""

import json
from typing import Any

import pytest

from functions.summarize.handler import handler
from membus.container import Container
from membus.core.errors import BudgetError, UnavailableError
from membus.observability import metrics
from tests.factories import an_event
from tests.fakes.model import ScriptedModel
from tests.support.api_client import LambdaInvocation
from tests.support.containers import FakeModels
from tests.unit.test_summarize import Bench, draft


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(draft("Things were paid for."))
    monkeypatch.setattr(metrics.provider, "namespace", "membus")
    return bench


def record(message_id: str, conversation_id: str = "c") -> dict[str, Any]:
    due = an_event("due-1", type="summary.due", payload={"conversation_id": conversation_id})
    body = {"detail": json.loads(due.model_dump_json(by_alias=True))}
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1",
        "SenderId": "s",
        "ApproximateFirstReceiveTimestamp": "1",
    }
    return {
        "messageId": message_id,
        "receiptHandle": "r",
        "body": json.dumps(body),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "0",
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:membus-test-summarize",
    }


def deliver(bench: Bench, *records: dict[str, Any], seconds_left: float = 60) -> list[str]:
    container = Container({})
    container.conversations.store = bench.conversations
    container.conversations.summaries = bench.summaries
    container.llm = FakeModels(container, lambda task, _tenant: {"summarize": bench.model}[task])
    context: Any = LambdaInvocation(seconds_left)
    answer = handler({"Records": list(records)}, context, container)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def test_a_due_conversation_advances_however_often_it_is_told(bench: Bench) -> None:
    assert deliver(bench, record("m1"), record("m2"), record("m3", "nowhere")) == []
    assert bench.outline.last_checkpoint.version == 1


def test_a_model_that_is_down_sends_the_message_back(bench: Bench) -> None:
    bench.model = ScriptedModel(UnavailableError("down"))

    assert deliver(bench, record("m1")) == ["m1"]
    assert bench.outline.last_checkpoint.version == 0


def test_without_money_a_summary_waits_for_the_next_turn_and_the_message_is_done(bench: Bench) -> None:
    bench.model = ScriptedModel(BudgetError("the budget is spent"))

    assert deliver(bench, record("m1")) == []
    assert bench.outline.last_checkpoint.version == 0


def test_without_time_no_model_is_asked(bench: Bench) -> None:
    assert deliver(bench, record("m1"), seconds_left=4) == ["m1"]
    assert bench.model.prompts == []


def test_a_message_that_is_none_goes_back_alone(bench: Bench) -> None:
    broken = record("m1") | {"body": "{}"}

    assert deliver(bench, broken, record("m2")) == ["m1"]
    assert bench.outline.last_checkpoint.version == 1
