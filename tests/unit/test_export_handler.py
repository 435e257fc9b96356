"""functions/export/handler.

A job that runs out of time asks for its rest, and no message is lost or kept in vain.
"""

import json
from typing import Any

import pytest

from functions.export import handler as entry
from membus import wiring, wiring_cold, wiring_conversations, wiring_erasing, wiring_search, wiring_transfer
from membus.core.errors import ConflictError
from membus.erasure.guard import ErasureGuard
from membus.observability import metrics
from membus.transfer.model import export_due
from tests.factories import NOON
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryEventBus
from tests.support.api_client import LambdaInvocation
from tests.support.exports import ExportSetup, an_export
from tests.unit.test_export import Household


@pytest.fixture
def bus() -> InMemoryEventBus:
    return InMemoryEventBus()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, bus: InMemoryEventBus) -> ExportSetup:
    household = Household()
    household.live()
    desk, sources = ExportSetup(household.sources), household.sources
    desk.exports.start_export(an_export())
    parts: list[tuple[Any, str, Any]] = [
        (wiring, "facts", sources.facts),
        (wiring_conversations, "conversations", sources.conversations),
        (wiring_conversations, "summaries", sources.summaries),
        (wiring, "held_facts", sources.held_facts),
        (wiring, "states", sources.states),
        (wiring, "contents", sources.contents),
        (wiring_cold, "episode_reader", sources.episodes),
        (wiring_search, "documents", sources.documents),
        (wiring_search, "memory_index", sources.index),
        (wiring_search, "announcements", bus),
        (wiring_transfer, "exports", desk.exports),
        (wiring_transfer, "archives", desk.archives),
        (wiring_erasing, "gate", ErasureGuard(InMemoryErasures())),
    ]
    for module, name, part in parts:
        monkeypatch.setattr(module, name, lambda part=part: part)
    monkeypatch.setattr(wiring, "now", lambda: NOON)
    monkeypatch.setattr(metrics.provider, "namespace", "membus")
    return desk


def deliver(*, seconds_left: float) -> list[str]:
    body = {"detail": json.loads(export_due(an_export()).model_dump_json(by_alias=True))}
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1",
        "SenderId": "s",
        "ApproximateFirstReceiveTimestamp": "1",
    }
    record = {
        "messageId": "m1",
        "receiptHandle": "r",
        "body": json.dumps(body),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "0",
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:membus-test-export",
    }
    context: Any = LambdaInvocation(seconds_left)
    answer = entry.handler({"Records": [record]}, context)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def test_an_export_that_has_time_ends_and_asks_for_nothing_more(
    desk: ExportSetup, bus: InMemoryEventBus
) -> None:
    assert deliver(seconds_left=900) == []

    assert desk.exports.get_export("acme", "export_1").status == "done"
    assert bus.published == []


def test_an_export_without_time_asks_for_its_rest(desk: ExportSetup, bus: InMemoryEventBus) -> None:
    assert deliver(seconds_left=10) == []

    (rest,) = bus.published
    assert (rest.type, rest.payload) == ("export.due", {"job_id": "export_1"})
    assert desk.exports.get_export("acme", "export_1").status == "running"


def test_a_rest_that_nobody_could_be_told_of_comes_back_by_the_queue(
    desk: ExportSetup, bus: InMemoryEventBus
) -> None:
    bus.refusing = {"*": "InternalFailure"}

    assert deliver(seconds_left=10) == ["m1"]
    assert desk.exports.get_export("acme", "export_1").status == "running"


def test_a_job_that_another_one_does_is_left_to_it(
    desk: ExportSetup, bus: InMemoryEventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> None:
        raise ConflictError("lost a race")

    monkeypatch.setattr(desk.exports, "save_progress", taken)

    assert deliver(seconds_left=900) == []
    assert bus.published == []
