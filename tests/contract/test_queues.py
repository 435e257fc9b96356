"""The ports Quarantine and SourceQueue: a message is kept with its reason, or comes back when asked to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from localstack import aws
from membus.adapters.sqs_quarantine import SqsQuarantine
from membus.adapters.sqs_source import SqsSource
from membus.errors import UnavailableError
from tests.strict import strict_aws

if TYPE_CHECKING:
    from localstack.stack_file import Stack


@pytest.fixture(params=["strict", pytest.param("stack", marks=pytest.mark.stack)])
def sqs(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "strict":
        with strict_aws():
            yield boto3.client("sqs", region_name="us-east-1")
    else:
        stack: Stack = request.getfixturevalue("stack")
        yield aws.session().client("sqs", endpoint_url=stack.endpoint_url)


@pytest.fixture
def url(sqs: Any) -> Iterator[str]:
    name = f"membus-test-{uuid4().hex[:12]}"
    made: str = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    yield made
    sqs.meta.events.unregister("before-call.sqs", cut)
    sqs.delete_queue(QueueUrl=made)


def cut(**_: object) -> None:
    raise ConnectTimeoutError(endpoint_url="https://sqs")


@pytest.mark.parametrize("reason", ["invalid_json", "invalid_event: detail.schema: " + "x" * 400])
def test_a_parked_message_keeps_its_body_and_its_reason(sqs: Any, url: str, reason: str) -> None:
    SqsQuarantine(sqs, url).park('{"not": "ours"}', reason=reason)

    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"not": "ours"}'
    assert message["MessageAttributes"]["reason"]["StringValue"] == reason[:256]


def test_a_message_comes_back_when_asked_to(sqs: Any, url: str) -> None:
    sqs.send_message(QueueUrl=url, MessageBody="again")
    receipt = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)

    SqsSource(sqs, url).retry_in(receipt, seconds=0)

    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "again"


def test_queues_out_of_reach_are_worth_another_try(sqs: Any, url: str) -> None:
    sqs.meta.events.register_first("before-call.sqs", cut)

    with pytest.raises(UnavailableError):
        SqsQuarantine(sqs, url).park("x", reason="y")
    with pytest.raises(UnavailableError):
        SqsSource(sqs, url).retry_in("r", seconds=1)
    with pytest.raises(UnavailableError):
        SqsQuarantine(sqs, f"{url}-gone").park("x", reason="y")
