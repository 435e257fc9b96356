"""Queues in SQS: poison messages with their reason, a function's source queue, and the overflow queue."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membus.aws.clients import translate_aws_errors
from membus.core.errors import UnavailableError
from membus.events.sizes import MESSAGE_BYTES_MAX, cut_to_bytes

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef


REASON, REASON_CHARACTERS_MAX, TEXT = "reason", 256, "String"


class SqsPoisonMessages:
    """Puts the reason into an attribute of the message, cut to 256 characters.

    The attribute counts towards the size of the message. Beside a body that leaves no room the reason is cut
    further, to nothing if need be: the body matters more.
    """

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def send_message(self, body: str, *, reason: str) -> None:
        room = MESSAGE_BYTES_MAX - len((body + REASON + TEXT).encode())
        kept = cut_to_bytes(reason[:REASON_CHARACTERS_MAX], room)
        attributes: dict[str, MessageAttributeValueTypeDef] = (
            {REASON: {"DataType": TEXT, "StringValue": kept}} if kept else {}
        )
        with translate_aws_errors("quarantine"):
            self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=body, MessageAttributes=attributes
            )


class SqsSourceQueue:
    """The port SourceQueue, and DelayQueue for the function that is fed from the queue."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def delay_retry(self, receipt: str, *, seconds: int) -> None:
        with translate_aws_errors("source queue"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def send_delayed(self, body: str, *, delay_seconds: int) -> None:
        with translate_aws_errors("source queue"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_seconds)


class SqsOverflowQueue(SqsSourceQueue):
    """A standard queue whose message groups are tenants, which SQS serves fairly."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._name = queue_url.rpartition("/")[2]

    def is_source_of(self, queue_arn: str) -> bool:
        return queue_arn.rpartition(":")[2] == self._name

    def send_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        """Send one by one: SQS takes no ten large messages at once."""
        for place, (body, tenant) in enumerate(messages):
            try:
                with translate_aws_errors("surplus queue"):
                    self._client.send_message(
                        QueueUrl=self._queue_url, MessageBody=body, MessageGroupId=tenant
                    )
            except UnavailableError:
                return place
        return len(messages)
