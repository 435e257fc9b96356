"""functions/erase/handler: the rest of an erasure is scheduled by the bus, or by the queue for later."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.erase import handler as entry
from membus.container import Container
from membus.container.erasure import ErasureParts
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, erasure_due, new_erasure_job
from membus.observability import metrics
from tests.factories import NOON
from tests.fakes.clock import StoppedClock
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryDelayQueue, InMemoryEventBus
from tests.support.api_client import LambdaInvocation

ROUNDS = 40


class Shelves:
    """A store with so many things of the user's that each go removes one."""

    name = "shelves"

    def __init__(self) -> None:
        self.things = ROUNDS

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        self.things -= self.things > 0
        return ErasureCount({"things": 1}, "more" if self.things else None)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({"things": self.things})


@pytest.fixture
def bus() -> InMemoryEventBus:
    return InMemoryEventBus()


@pytest.fixture
def queue() -> InMemoryDelayQueue:
    return InMemoryDelayQueue()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


class ErasureOfShelves(ErasureParts):
    settle_time = timedelta(minutes=18, milliseconds=1)

    def __init__(self, container: Container) -> None:
        super().__init__(container)
        self._shelves = Shelves()

    def list_stores(self) -> tuple[Shelves]:
        return (self._shelves,)


@pytest.fixture
def container(
    monkeypatch: pytest.MonkeyPatch, bus: InMemoryEventBus, queue: InMemoryDelayQueue, clock: StoppedClock
) -> Container:
    monkeypatch.setattr(metrics.provider, "namespace", "membus")
    container = Container({"COPIES_KEPT_DAYS": '{"queues": 14}'}, clock)
    container.events.announcements = bus
    container.events.delay_queue = queue
    container.erasure = ErasureOfShelves(container)
    return container


@pytest.fixture
def jobs(container: Container) -> InMemoryErasures:
    container.erasure.jobs = jobs = InMemoryErasures()
    return jobs


@pytest.fixture
def job(jobs: InMemoryErasures) -> ErasureJob:
    return jobs.start_job(new_erasure_job("acme", "ada", request_key="k", requested_by="k1", now=NOON))


class Ebbing(LambdaInvocation):
    """An invocation that has time for so many looks at its clock."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 300_000 if self.looks >= 0 else 10_000


def deliver(container: Container, body: str, *, looks: int) -> list[str]:
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1",
        "SenderId": "s",
        "ApproximateFirstReceiveTimestamp": "1",
    }
    record = {
        "messageId": "m1",
        "receiptHandle": "r",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "0",
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:membus-test-erase",
    }
    context: Any = Ebbing(looks)
    answer = entry.handler({"Records": [record]}, context, container)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def wrapped(event: Any) -> str:
    return json.dumps({"detail": json.loads(event.model_dump_json(by_alias=True))})


def test_long_erasure_continues_by_the_bus_and_uses_its_queue_only_to_wait(
    container: Container,
    job: ErasureJob,
    bus: InMemoryEventBus,
    queue: InMemoryDelayQueue,
    clock: StoppedClock,
) -> None:
    body = wrapped(erasure_due(job))
    waits = []
    for _ in range(3 * ROUNDS):
        assert deliver(container, body, looks=1) == []
        if queue.sent:
            body, seconds = queue.sent.pop()
            waits.append(seconds)
            clock.advance(timedelta(seconds=seconds))
        elif bus.published:
            body = wrapped(bus.published.pop())
        else:
            break

    assert container.erasure.jobs.get_job("acme", job.job_id).status == "done"
    assert waits == [900, 181], "held back for the longest that SQS does, then for the rest, never too short"


def test_a_rest_that_nobody_could_be_told_of_comes_back_by_the_queue(
    container: Container,
    jobs: InMemoryErasures,
    job: ErasureJob,
    bus: InMemoryEventBus,
    queue: InMemoryDelayQueue,
) -> None:
    bus.refusing = {"*": "InternalFailure"}

    assert deliver(container, wrapped(erasure_due(job)), looks=1) == ["m1"]
    assert jobs.get_job("acme", job.job_id).status == "running"
    assert queue.sent == []
