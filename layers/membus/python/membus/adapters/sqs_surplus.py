"""The queue of what tenants send beyond their share: standard, and fair, because its message groups are tenants."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from membus.adapters.aws import translated
from membus.adapters.sqs_source import SqsSource

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ENTRIES_MAX, BATCH_BYTES_MAX = 10, 262_144
"""Of one SendMessageBatch; SQS takes a megabyte by now, a queue of this Terraform provider a quarter of it."""
Sent = tuple[str, str]


class SqsSurplus(SqsSource):
    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        super().__init__(client, queue_url)
        self._name = queue_url.rpartition("/")[2]

    def brought(self, queue_arn: str) -> bool:
        return queue_arn.rpartition(":")[2] == self._name

    def add(self, messages: Sequence[Sent]) -> frozenset[int]:
        refused: set[int] = set()
        for batch in _batches(messages):
            with translated("surplus queue"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(place), "MessageBody": body, "MessageGroupId": tenant}
                        for place, (body, tenant) in batch.items()
                    ],
                )
            refused |= {int(each["Id"]) for each in answer.get("Failed", ())}
        return frozenset(refused)


def _batches(messages: Sequence[Sent]) -> Iterator[dict[int, Sent]]:
    batch: dict[int, Sent] = {}
    size = 0
    for place, (body, tenant) in enumerate(messages):
        weight = len(body.encode())
        if batch and (len(batch) == ENTRIES_MAX or size + weight > BATCH_BYTES_MAX):
            yield batch
            batch, size = {}, 0
        batch[place] = body, tenant
        size += weight
    if batch:
        yield batch
