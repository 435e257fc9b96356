"""The queues where messages end, and where what lies in each may go back to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from membus.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Mode = Literal["task", "each"]
BUS = "bus"
"""The destination that is no queue: an event goes through every rule again."""


@dataclass(frozen=True)
class DeadLetterQueue:
    """`to` is where its messages go back to, None where no queue takes them.

    `mode` how, unless one is asked for.

    SQS moves by itself (`task`) only what an SQS queue gave up on; what EventBridge or a function put here is
    taken out and sent again message by message (`each`).
    """

    name: str
    to: str | None
    mode: Mode = "each"


def find_dead_letter_queue(name: str) -> DeadLetterQueue | None:
    """Return the end of this name, as Terraform's module `event_bus` names them.

    None for a queue that is none.
    """
    if name == "bus-dlq":
        return DeadLetterQueue(name, BUS)
    if name == "failures":
        return DeadLetterQueue(name, None)
    if name == "quarantine":
        return DeadLetterQueue(name, "extract")
    if name.endswith("-rule-dlq"):
        return DeadLetterQueue(name, name.removesuffix("-rule-dlq"))
    return DeadLetterQueue(name, name.removesuffix("-dlq"), "task") if name.endswith("-dlq") else None


@dataclass(frozen=True)
class EnvironmentQueues:
    """The queues of one environment, by their names without its prefix."""

    sqs: "SQSClient"
    environment: str

    def ends(self) -> list[DeadLetterQueue]:
        start = self._full("")
        pages = self.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=start)
        urls = [url for page in pages for url in page.get("QueueUrls", [])]
        names = sorted(url.rpartition("/")[2].removeprefix(start) for url in urls)
        return [end for name in names if (end := find_dead_letter_queue(name))]

    def end(self, name: str) -> DeadLetterQueue:
        """Raise NotFoundError for what is no such queue, naming those that are."""
        ends = {end.name: end for end in self.ends()}
        if name not in ends:
            raise NotFoundError(
                f"{self.environment} has no dead-letter queue {name}; it has {', '.join(ends) or 'none'}"
            )
        return ends[name]

    def url(self, name: str) -> str:
        try:
            return self.sqs.get_queue_url(QueueName=self._full(name))["QueueUrl"]
        except self.sqs.exceptions.QueueDoesNotExist as error:
            raise NotFoundError(f"{self.environment} has no queue {name}") from error

    def arn(self, name: str) -> str:
        found = self.sqs.get_queue_attributes(QueueUrl=self.url(name), AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]

    def depth(self, name: str) -> tuple[int, int]:
        """Return how many messages wait, and how many somebody holds; SQS counts them roughly."""
        url = self.url(name)
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def _full(self, name: str) -> str:
        return f"membus-{self.environment}-{name}"
