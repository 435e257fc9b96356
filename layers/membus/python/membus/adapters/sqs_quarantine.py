"""Messages that no retry can help, on a queue of their own with the reason beside them."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from membus.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQuarantine:
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def park(self, body: str, *, reason: str) -> None:
        try:
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:256]}},
            )
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("the quarantine queue did not take a message") from error
