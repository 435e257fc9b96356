"""functions/export/handler: a job out of time is announced again, and no message is lost or kept in vain."""

import json
from typing import Any

import pytest

from functions.export import handler as entry
from membus.container import Container
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
def household() -> Household:
    household = Household()
    household.live()
    return household


@pytest.fixture
def desk(household: Household) -> ExportSetup:
    desk = ExportSetup(household.sources)
    desk.exports.start_export(an_export())
    return desk


@pytest.fixture
def container(
    monkeypatch: pytest.MonkeyPatch, household: Household, desk: ExportSetup, bus: InMemoryEventBus
) -> Container:
    monkeypatch.setattr(metrics.provider, "namespace", "membus")
    container = Container({}, lambda: NOON)
    container.blobs = household.contents
    container.states = household.states
    container.conversations.store = household.conversations
    container.conversations.summaries = household.summaries
    container.episodes.reader = household.episodes
    container.erasure.guard = ErasureGuard(InMemoryErasures())
    container.events.announcements = bus
    container.facts.review_queue = household.held_facts
    container.facts.store = household.facts
    container.search.documents = household.documents
    container.search.index = household.index
    container.transfer.files = desk.archives
    container.transfer.jobs = desk.exports
    return container


def deliver(container: Container, *, seconds_left: float) -> list[str]:
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
    answer = entry.handler({"Records": [record]}, context, container)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def test_export_with_time_ends_in_one_run(
    container: Container, desk: ExportSetup, bus: InMemoryEventBus
) -> None:
    assert deliver(container, seconds_left=900) == []

    assert desk.exports.get_export("acme", "export_1").status == "done"
    assert bus.published == []


def test_export_without_time_announces_its_rest(
    container: Container, desk: ExportSetup, bus: InMemoryEventBus
) -> None:
    assert deliver(container, seconds_left=10) == []

    (rest,) = bus.published
    assert (rest.type, rest.payload) == ("export.due", {"job_id": "export_1"})
    assert desk.exports.get_export("acme", "export_1").status == "running"


def test_a_rest_that_nobody_could_be_told_of_comes_back_by_the_queue(
    container: Container, desk: ExportSetup, bus: InMemoryEventBus
) -> None:
    bus.refusing = {"*": "InternalFailure"}

    assert deliver(container, seconds_left=10) == ["m1"]
    assert desk.exports.get_export("acme", "export_1").status == "running"


def test_export_that_another_process_advances_is_left_to_it(
    container: Container, desk: ExportSetup, bus: InMemoryEventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> None:
        raise ConflictError("lost a race")

    monkeypatch.setattr(desk.exports, "save_progress", taken)

    assert deliver(container, seconds_left=900) == []
    assert bus.published == []
