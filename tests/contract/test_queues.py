"""The ports Quarantine, SourceQueue and SurplusQueue: a message is kept, or comes back when asked to."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectTimeoutError

from membus.core.errors import UnavailableError
from membus.events.sqs import SqsOverflowQueue, SqsPoisonMessages, SqsSourceQueue
from tests.strict import strict_aws
from tests.support.backends import DeployedAws, StrictAws


@pytest.fixture(params=["strict", pytest.param("stack", marks=pytest.mark.stack)])
def sqs(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "strict":
        with strict_aws():
            yield StrictAws().make_client("sqs")
    else:
        yield DeployedAws(request.getfixturevalue("stack")).make_client("sqs")


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
    SqsPoisonMessages(sqs, url).send_message('{"not": "ours"}', reason=reason)

    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"not": "ours"}'
    assert message["MessageAttributes"]["reason"]["StringValue"] == reason[:256]


@pytest.mark.parametrize(
    ("body_bytes", "kept"),
    [
        (262_144 - 12 - 256, 256),  # the attribute's name and type take twelve bytes
        (262_144 - 12 - 255, 255),
        (262_144 - 12 - 1, 1),
        (262_144 - 12, 0),
        (262_144, 0),
    ],
)
def test_a_large_message_is_parked_with_as_much_of_the_reason_as_fits(
    sqs: Any, url: str, body_bytes: int, kept: int
) -> None:
    SqsPoisonMessages(sqs, url).send_message("x" * body_bytes, reason="r" * 300)

    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert len(message["Body"]) == body_bytes
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
    assert reason == "r" * kept


def test_a_reason_is_cut_between_its_characters(sqs: Any, url: str) -> None:
    SqsPoisonMessages(sqs, url).send_message("x" * (262_144 - 12 - 4), reason="語語")

    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"]["reason"]["StringValue"] == "語"


def test_message_is_delivered_again_after_the_retry_delay(sqs: Any, url: str) -> None:
    sqs.send_message(QueueUrl=url, MessageBody="again")
    receipt = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)

    SqsSourceQueue(sqs, url).delay_retry(receipt, seconds=0)

    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "again"


def test_unreachable_queue_is_unavailable(sqs: Any, url: str) -> None:
    sqs.meta.events.register_first("before-call.sqs", cut)

    with pytest.raises(UnavailableError):
        SqsPoisonMessages(sqs, url).send_message("x", reason="y")
    with pytest.raises(UnavailableError):
        SqsSourceQueue(sqs, url).delay_retry("r", seconds=1)
    with pytest.raises(UnavailableError):
        SqsPoisonMessages(sqs, f"{url}-gone").send_message("x", reason="y")


def test_overflow_queue_keeps_messages_with_their_tenant(sqs: Any, url: str) -> None:
    sent = [(f"{number}:{'x' * 100_000}", f"t{number % 3}") for number in range(12)]

    assert SqsOverflowQueue(sqs, url).send_messages(sent) == len(sent)

    kept: set[tuple[str, str]] = set()
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get(
        "Messages"
    ):
        kept |= {(message["Body"], message["Attributes"]["MessageGroupId"]) for message in found}
    assert kept == set(sent)


def test_overflow_queue_recognises_its_messages_and_takes_them_back(sqs: Any, url: str) -> None:
    surplus = SqsOverflowQueue(sqs, url)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    surplus.send_messages([("again", "acme")])
    receipt = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]

    surplus.delay_retry(receipt, seconds=0)

    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "again"
    assert (surplus.is_source_of(arn), surplus.is_source_of(f"{arn}-other"), surplus.is_source_of("")) == (
        True,
        False,
        False,
    )


def test_overflow_queue_counts_the_messages_it_took(sqs: Any, url: str) -> None:
    sqs.meta.events.register("before-call.sqs", cut)

    assert SqsOverflowQueue(sqs, url).send_messages([("one", "acme"), ("two", "acme")]) == 0
