"""The queue a function is fed from, as far as the function itself talks to it."""

from typing import TYPE_CHECKING

from membus.adapters.aws import translate_aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsSourceQueue:
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def retry_in(self, receipt: str, *, seconds: int) -> None:
        with translate_aws_errors("source queue"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def send(self, body: str, *, delay_seconds: int) -> None:
        with translate_aws_errors("source queue"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_seconds)
