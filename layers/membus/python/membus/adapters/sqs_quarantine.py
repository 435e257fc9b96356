"""Messages that no retry can help, on a queue of their own with the reason beside them."""

from typing import TYPE_CHECKING

from membus.adapters.aws import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQuarantine:
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def park(self, body: str, *, reason: str) -> None:
        attributes = {"reason": {"DataType": "String", "StringValue": reason[:256]}}
        with translated("quarantine"):
            self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=body, MessageAttributes=attributes
            )  # type: ignore[arg-type]
