"""The queues where messages end, and where what lies in each may go back to.

What lies in a dead-letter queue: read without being taken away, and told without what users said.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from membus.core.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef
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

    def list_dead_letter_queues(self) -> list[DeadLetterQueue]:
        start = self._full("")
        pages = self.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=start)
        urls = [url for page in pages for url in page.get("QueueUrls", [])]
        names = sorted(url.rpartition("/")[2].removeprefix(start) for url in urls)
        return [end for name in names if (end := find_dead_letter_queue(name))]

    def get_dead_letter_queue(self, name: str) -> DeadLetterQueue:
        """Raise NotFoundError for what is no such queue, naming those that are."""
        ends = {end.name: end for end in self.list_dead_letter_queues()}
        if name not in ends:
            raise NotFoundError(
                f"{self.environment} has no dead-letter queue {name}; it has {', '.join(ends) or 'none'}"
            )
        return ends[name]

    def get_url(self, name: str) -> str:
        try:
            return self.sqs.get_queue_url(QueueName=self._full(name))["QueueUrl"]
        except self.sqs.exceptions.QueueDoesNotExist as error:
            raise NotFoundError(f"{self.environment} has no queue {name}") from error

    def get_arn(self, name: str) -> str:
        found = self.sqs.get_queue_attributes(QueueUrl=self.get_url(name), AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]

    def get_depth(self, name: str) -> tuple[int, int]:
        """Return how many messages wait, and how many somebody holds; SQS counts them roughly."""
        url = self.get_url(name)
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def _full(self, name: str) -> str:
        return f"membus-{self.environment}-{name}"


NOT_HELD_CODES = {
    "AWS.SimpleQueueService.MessageNotInflight",
    "MessageNotInflight",
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
}
BATCH = 10
VISIBILITY_SECONDS = 120
"""For as long nobody else sees what is being read; a run that dies gives it back after that."""
EMPTY_ANSWERS = 2
"""SQS asks a sample of its servers: one empty answer does not prove an empty queue."""


@dataclass(frozen=True)
class DeadLetter:
    """`reason` is what whoever put it here wrote on it; a queue that only counts receives writes nothing."""

    message_id: str
    receipt: str
    body: str
    sent_at: datetime
    receives: int
    reason: str | None

    @classmethod
    def from_message(cls, message: "MessageTypeDef") -> "DeadLetter":
        told = {
            name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()
        }
        counted = message.get("Attributes", {})
        reason = told.get("reason") or " ".join(
            filter(None, (told.get("ERROR_CODE"), told.get("ERROR_MESSAGE")))
        )
        return cls(
            message["MessageId"],
            message["ReceiptHandle"],
            message["Body"],
            datetime.fromtimestamp(int(counted.get("SentTimestamp", 0)) / 1000, UTC),
            int(counted.get("ApproximateReceiveCount", 0)),
            reason or None,
        )

    @property
    def parsed_body(self) -> dict[str, Any]:
        """Return the body's JSON object, empty where it is none."""
        try:
            body = json.loads(self.body)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def get_event_field(self, name: str) -> str | None:
        """Return a field of the event it holds."""
        detail = self.parsed_body.get("detail")
        value = detail.get(name) if isinstance(detail, dict) else None
        return None if value is None else str(value)


@dataclass(frozen=True)
class DeadLetterFilter:
    """Which letters; what is not said matches all."""

    reason: str | None = None
    tenant: str | None = None
    user: str | None = None
    type: str | None = None
    event_ids: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, letter: DeadLetter) -> bool:
        fields = (("tenant_id", self.tenant), ("user_id", self.user), ("type", self.type))
        return (
            (self.reason is None or (letter.reason or "").startswith(self.reason))
            and all(value is None or letter.get_event_field(name) == value for name, value in fields)
            and (not self.event_ids or letter.get_event_field("event_id") in self.event_ids)
            and (self.since is None or letter.sent_at >= self.since)
            and (self.until is None or letter.sent_at < self.until)
        )

    @property
    def matches_all(self) -> bool:
        return self == DeadLetterFilter()


class QueueReader:
    """A walk over a queue that gives each message once.

    What was not taken is given back at the end, at once.
    """

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs, self._url = sqs, url
        self._held: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for receipt in self._held.values():
            self._give_back(receipt)

    def __iter__(self) -> Iterator[DeadLetter]:
        idle = 0
        while idle < EMPTY_ANSWERS + len(self._held) // BATCH:  # what is held for long comes by again
            found = self._receive()
            fresh = [message for message in found if message["MessageId"] not in self._held]
            self._held.update({message["MessageId"]: message["ReceiptHandle"] for message in found})
            idle = 0 if fresh else idle + 1
            yield from map(DeadLetter.from_message, fresh)

    def delete_message(self, letter: DeadLetter) -> None:
        """Remove what is somewhere else by now."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._held.pop(letter.message_id))

    def _receive(self) -> list["MessageTypeDef"]:
        return self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])

    def _give_back(self, receipt: str) -> None:
        """A message that somebody else holds by now is theirs."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0
            )
        except self._sqs.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in NOT_HELD_CODES:
                raise
