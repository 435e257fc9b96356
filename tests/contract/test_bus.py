"""The port EventBus: an event the bus took is durable there, each other one is named with its reason."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError

from membus.core.event import EVENT_BYTES_MAX, Event
from membus.core.identity import Owner
from membus.events.eventbridge import EventBridgeBus
from membus.events.ports import EventBus
from membus.events.sizes import EVENT_TOO_LARGE, MESSAGE_BYTES_MAX
from tests.factories import ADA, NOON, an_event, recorded, said
from tests.fakes.event_bus import InMemoryEventBus
from tests.strict import strict_aws
from tests.support.backends import AwsBackend, DeployedAws, OnEveryBackend

BUS = "membus-test"


class Line:
    """The line to EventBridge: notes every call; `answers` are the codes per entry of the next calls."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[list[dict[str, Any]]] = []
        self.answers: list[list[str | None] | str | Exception] = []
        client.meta.events.register_first("before-call.events.PutEvents", self._answer)

    def _answer(self, *, params: dict[str, Any], **_: object) -> Any:
        entries = json.loads(params["body"])["Entries"]
        self.calls.append(entries)
        if not self.answers:
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return AWSResponse("https://events", 400, HTTPHeaders(), None), {
                "Error": {"Code": answer, "Message": ""}
            }
        failed = [{"ErrorCode": code} if code else {"EventId": "x"} for code in answer]
        assert len(failed) == len(entries)
        return AWSResponse("https://events", 200, HTTPHeaders(), None), {
            "FailedEntryCount": sum(map(bool, answer)),
            "Entries": failed,
        }

    def ids(self) -> list[list[str]]:
        return [[json.loads(entry["Detail"])["event_id"] for entry in call] for call in self.calls]


@pytest.fixture
def line() -> Iterator[Line]:
    with strict_aws():
        client = boto3.client("events", region_name="us-east-1")
        client.create_event_bus(Name=BUS)
        yield Line(client)


@pytest.fixture
def bus(on_every_backend: OnEveryBackend) -> EventBus:
    def adapter(aws: AwsBackend) -> EventBus:
        events = aws.make_client("events")
        if isinstance(aws, DeployedAws):
            return EventBridgeBus(events, aws.stack.bus_name)
        events.create_event_bus(Name=BUS)
        return EventBridgeBus(events, BUS)

    return on_every_backend(InMemoryEventBus, adapter)


def events(count: int, owner: Owner = ADA) -> list[Event]:
    """Return events that nobody has to read: on the deployed stack they are truly delivered."""
    return [an_event(f"e{number}", type="page.viewed", owner=owner) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 10, 11, 100])
def test_bus_accepts_every_event(bus: EventBus, owner: Owner, count: int) -> None:
    assert bus.publish_events(events(count, owner)) == {}


def test_an_entry_is_the_envelope_under_its_type(line: Line) -> None:
    event = said("hi", session_id="s", remember=False)
    EventBridgeBus(line.client, BUS).publish_events([event])

    ((entry,),) = line.calls
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == (
        "membus.events",
        "message.sent",
        BUS,
    )
    assert json.loads(entry["Detail"])["schema"] == 1
    assert Event.model_validate_json(entry["Detail"]) == event


def test_historical_event_keeps_its_time(line: Line) -> None:
    heard = recorded(said("hi"), learned_at=NOON)
    EventBridgeBus(line.client, BUS).republish_events([heard])

    ((entry,),) = line.calls
    assert entry["Time"] == NOON.timestamp()
    assert Event.model_validate_json(entry["Detail"]) == heard.event


def test_refused_historical_event_is_named_by_its_index(line: Line) -> None:
    line.answers = [[None] * 10, ["MalformedDetail", None]]

    assert EventBridgeBus(line.client, BUS).republish_events([recorded(each) for each in events(12)]) == {
        10: "MalformedDetail"
    }


def test_no_call_holds_more_than_ten_entries(line: Line) -> None:
    EventBridgeBus(line.client, BUS).publish_events(events(25))

    assert [len(call) for call in line.calls] == [10, 10, 5]


def test_large_events_are_split_into_calls_below_a_megabyte(line: Line) -> None:
    big = [said("语" * 60_000, f"e{number}") for number in range(9)]

    assert EventBridgeBus(line.client, BUS).publish_events(big) == {}
    assert [len(call) for call in line.calls] == [5, 4]


@pytest.mark.parametrize("text", ["x" * 262_000, "語" * 88_000])
def test_event_that_no_queue_takes_is_refused_before_the_bus_loses_it(
    bus: EventBus, owner: Owner, text: str
) -> None:
    large = an_event("large", type="page.viewed", owner=owner, payload={"path": text})

    assert bus.publish_events([*events(2, owner), large]) == {2: EVENT_TOO_LARGE}


def test_largest_event_of_the_api_fits_a_queue_with_all_its_wrapping(line: Line) -> None:
    wide = "語" * 128
    event = an_event(
        wide,
        type=f"a.{'b' * 62}",
        owner=Owner(tenant=wide, user=wide),
        agent_id=wide,
        session_id=wide,
        payload={"t": "語" * ((EVENT_BYTES_MAX - len('{"t": ""}')) // 3)},
    )

    assert EventBridgeBus(line.client, BUS).publish_events([event]) == {}
    ((entry,),) = line.calls
    body = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "123456789012",
        "time": "2026-12-01T12:00:00Z",
        "region": "ap-southeast-2",
        "resources": [],
        "detail": json.loads(entry["Detail"]),
    }
    parked = {"reason": "語" * 256, "type": "String"}
    assert len(json.dumps([body, parked], ensure_ascii=False).encode()) < MESSAGE_BYTES_MAX


def test_only_the_failed_entry_is_sent_again(line: Line) -> None:
    line.answers = [[None, None, "InternalFailure", *[None] * 7]]

    assert EventBridgeBus(line.client, BUS).publish_events(events(10)) == {}
    assert line.ids()[1:] == [["e2"]]


def test_entry_that_keeps_failing_is_named_by_its_index(line: Line) -> None:
    line.answers = [[None, "ThrottlingException", None], ["ThrottlingException"], ["ThrottlingException"]]

    assert EventBridgeBus(line.client, BUS).publish_events(events(3)) == {1: "ThrottlingException"}
    assert line.ids() == [["e0", "e1", "e2"], ["e1"], ["e1"]]


def test_an_entry_that_can_never_succeed_is_not_sent_again(line: Line) -> None:
    line.answers = [["MalformedDetail", "InternalFailure"]]

    assert EventBridgeBus(line.client, BUS).publish_events(events(2)) == {0: "MalformedDetail"}
    assert line.ids() == [["e0", "e1"], ["e1"]]


def test_index_counts_in_the_whole_list_not_in_a_call(line: Line) -> None:
    line.answers = [[None] * 10, ["MalformedDetail", None]]

    assert EventBridgeBus(line.client, BUS).publish_events(events(12)) == {10: "MalformedDetail"}


@pytest.mark.parametrize(
    "fault", ["AccessDeniedException", ConnectTimeoutError(endpoint_url="https://events")]
)
def test_a_refused_call_refuses_all_its_events_and_no_others(line: Line, fault: str | Exception) -> None:
    line.answers = [fault]

    refused = EventBridgeBus(line.client, BUS).publish_events(events(12))

    assert list(refused) == list(range(10))
    assert len(line.calls) == 2


def test_a_throttled_call_is_tried_again(line: Line) -> None:
    line.answers = ["ThrottlingException"]

    assert EventBridgeBus(line.client, BUS).publish_events(events(2)) == {}
