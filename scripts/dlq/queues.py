"""Dead-letter queues: where their messages may go back to, and how they are read without being removed."""

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
BATCH = 10
VISIBILITY_SECONDS = 120
"""How long a message that is being read stays hidden from others, also if the command dies."""
EMPTY_ANSWERS = 2
"""SQS asks a sample of its servers: one empty answer does not prove an empty queue."""
RELEASED_CODES = {
    "AWS.SimpleQueueService.MessageNotInflight",
    "MessageNotInflight",
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
}


@dataclass(frozen=True)
class DeadLetterQueue:
    """`to` is where its messages go back to, None if no queue takes them; `mode` is how.

    SQS itself moves (`task`) only what an SQS queue gave up on. What EventBridge or a function put here is
    taken out and sent again message by message (`each`).
    """

    name: str
    to: str | None
    mode: Mode = "each"


def find_dead_letter_queue(name: str) -> DeadLetterQueue | None:
    """Return the dead-letter queue of this name in Terraform's module `event_bus`, None for another queue."""
    named = {"bus-dlq": BUS, "failures": None, "quarantine": "extract"}
    if name in named:
        return DeadLetterQueue(name, named[name])
    if name.endswith("-rule-dlq"):
        return DeadLetterQueue(name, name.removesuffix("-rule-dlq"))
    return DeadLetterQueue(name, name.removesuffix("-dlq"), "task") if name.endswith("-dlq") else None


@dataclass(frozen=True)
class EnvironmentQueues:
    """The queues of one environment, by their names without its prefix."""

    sqs: "SQSClient"
    environment: str

    def list_dead_letter_queues(self) -> list[DeadLetterQueue]:
        prefix = self._full_name("")
        pages = self.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
        urls = [url for page in pages for url in page.get("QueueUrls", [])]
        names = sorted(url.rpartition("/")[2].removeprefix(prefix) for url in urls)
        return [queue for name in names if (queue := find_dead_letter_queue(name))]

    def get_dead_letter_queue(self, name: str) -> DeadLetterQueue:
        """Return the queue; NotFoundError names those that there are."""
        queues = {queue.name: queue for queue in self.list_dead_letter_queues()}
        if name not in queues:
            there_are = ", ".join(queues) or "none"
            raise NotFoundError(f"{self.environment} has no dead-letter queue {name}; it has {there_are}")
        return queues[name]

    def get_url(self, name: str) -> str:
        try:
            return self.sqs.get_queue_url(QueueName=self._full_name(name))["QueueUrl"]
        except self.sqs.exceptions.QueueDoesNotExist as error:
            raise NotFoundError(f"{self.environment} has no queue {name}") from error

    def get_arn(self, name: str) -> str:
        return str(self._attributes(name)["QueueArn"])

    def get_depth(self, name: str) -> tuple[int, int]:
        """Return how many messages wait, and how many are being read; SQS counts them roughly."""
        found = self._attributes(name)
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def open_reader(self, name: str) -> "QueueReader":
        return QueueReader(self.sqs, self.get_url(name))

    def _attributes(self, name: str) -> Any:
        return self.sqs.get_queue_attributes(QueueUrl=self.get_url(name), AttributeNames=["All"])[
            "Attributes"
        ]

    def _full_name(self, name: str) -> str:
        return f"membus-{self.environment}-{name}"


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue.

    `reason` is written by EventBridge or a function; a queue that only counts receives writes none.
    """

    message_id: str
    receipt: str
    body: str
    sent_at: datetime
    receives: int
    reason: str | None

    @classmethod
    def from_message(cls, message: "MessageTypeDef") -> "DeadLetter":
        texts = {name: each.get("StringValue") for name, each in message.get("MessageAttributes", {}).items()}
        error = " ".join(text for name in ("ERROR_CODE", "ERROR_MESSAGE") if (text := texts.get(name)))
        system = message.get("Attributes", {})
        return cls(
            message["MessageId"],
            message["ReceiptHandle"],
            message["Body"],
            datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
            int(system.get("ApproximateReceiveCount", 0)),
            texts.get("reason") or error or None,
        )

    @property
    def parsed_body(self) -> dict[str, Any]:
        """Return the body's JSON object, empty if there is none."""
        try:
            body = json.loads(self.body)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def get_event_field(self, name: str) -> str | None:
        """Return a field of the event in the message."""
        detail = self.parsed_body.get("detail")
        value = detail.get(name) if isinstance(detail, dict) else None
        return None if value is None else str(value)


@dataclass(frozen=True)
class DeadLetterFilter:
    """A field that is not set matches all messages."""

    reason: str | None = None
    tenant: str | None = None
    user: str | None = None
    type: str | None = None
    event_ids: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, letter: DeadLetter) -> bool:
        fields = (("tenant_id", self.tenant), ("user_id", self.user), ("type", self.type))
        return (
            (letter.reason or "").startswith(self.reason or "")
            and all(value is None or letter.get_event_field(name) == value for name, value in fields)
            and (not self.event_ids or letter.get_event_field("event_id") in self.event_ids)
            and (self.since is None or letter.sent_at >= self.since)
            and (self.until is None or letter.sent_at < self.until)
        )

    @property
    def matches_all(self) -> bool:
        return self == DeadLetterFilter()


class QueueReader:
    """Yields each message of a queue once; messages that were not deleted are visible again at the end."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs, self._url = sqs, url
        self._receipts: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for receipt in self._receipts.values():
            self._release(receipt)

    def __iter__(self) -> Iterator[DeadLetter]:
        idle = 0
        while idle < EMPTY_ANSWERS + len(self._receipts) // BATCH:  # what is read for long is received again
            found = self._receive()
            new = [message for message in found if message["MessageId"] not in self._receipts]
            self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in found}
            idle = 0 if new else idle + 1
            yield from map(DeadLetter.from_message, new)

    def delete_message(self, letter: DeadLetter) -> None:
        """Delete a message that was sent on."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts.pop(letter.message_id))

    def _receive(self) -> list["MessageTypeDef"]:
        return self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])

    def _release(self, receipt: str) -> None:
        """Make a message visible again, unless another reader has it by now."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0
            )
        except self._sqs.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in RELEASED_CODES:
                raise
