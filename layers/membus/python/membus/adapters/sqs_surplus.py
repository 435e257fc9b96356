"""The queue of what tenants send beyond their share.

Standard, and fair, because its message groups are tenants.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from membus.adapters.aws import translate_aws_errors
from membus.adapters.sqs_source import SqsSourceQueue
from membus.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsOverflowQueue(SqsSourceQueue):
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._name = queue_url.rpartition("/")[2]

    def brought(self, queue_arn: str) -> bool:
        return queue_arn.rpartition(":")[2] == self._name

    def add(self, messages: Sequence[tuple[str, str]]) -> int:
        """One by one: ten large messages are more than SQS takes at once."""
        for place, (body, tenant) in enumerate(messages):
            try:
                with translate_aws_errors("surplus queue"):
                    self._client.send_message(
                        QueueUrl=self._queue_url, MessageBody=body, MessageGroupId=tenant
                    )
            except UnavailableError:
                return place
        return len(messages)
