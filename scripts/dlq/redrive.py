"""Both ways out of a dead-letter queue.

SQS moves all by itself, or each message is sent again and taken out.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from membus.aws.clients import translate_aws_errors
from membus.core.errors import InvalidError, MembusError, UnavailableError
from scripts.dlq.queues import DeadLetter, DeadLetterFilter, QueueReader

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

Send = Callable[[DeadLetter], None]
"""Sends a letter on; InvalidError for one that can never go, UnavailableError for one that cannot now."""
NO_TASKS = {"InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"}
PASSING = {"InternalFailure", "InternalException", "ThrottlingException"}
POLL_SECONDS = 2.0


@dataclass
class RedriveProgress:
    """`left` says of messages that stay where they are, and why.

    `stopped` why the run ended before its end.
    """

    moved: int = 0
    left: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None


def send_each(
    reading: QueueReader, wanted: DeadLetterFilter, send: Send, *, limit: int | None, pace: Callable[[], None]
) -> Iterator[RedriveProgress]:
    """Send what is wanted and take it out, yielding after each how far it has come.

    What is cut off between the two is sent again by the next run, which is safe: an event is its id.
    """
    done = RedriveProgress()
    for letter in islice((each for each in reading if each in wanted), limit):
        try:
            send(letter)
            reading.delete_message(letter)
            done.moved += 1
        except InvalidError as error:
            done.left[letter.message_id] = error.detail
        except MembusError as error:
            done.stopped = error.detail
        yield done
        if done.stopped:
            return
        pace()


def queue_sender(sqs: "SQSClient", url: str) -> Send:
    def send(letter: DeadLetter) -> None:
        with translate_aws_errors("the queue it goes to"):
            sqs.send_message(QueueUrl=url, MessageBody=letter.body)

    return send


def bus_sender(events: "EventBridgeClient", bus: str) -> Send:
    """Return what publishes an event as it was, with its own source, kind and time.

    Every rule sees it again.
    """

    def send(letter: DeadLetter) -> None:
        with translate_aws_errors("the bus"):
            (answer,) = events.put_events(Entries=[_entry(letter, bus)])["Entries"]
        if code := answer.get("ErrorCode"):
            raise (UnavailableError if code in PASSING else InvalidError)(f"the bus refuses it: {code}")

    return send


def _entry(letter: DeadLetter, bus: str) -> Any:
    event = letter.parsed_body
    try:
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
        }
        return entry | {"EventBusName": bus, "Time": event["time"]}
    except KeyError as error:
        raise InvalidError(f"it is no whole event: no {error.args[0]}") from error


@dataclass(frozen=True)
class MoveTask:
    """SQS' own task, which goes on when this process ends; `pause` waits for so many seconds."""

    sqs: "SQSClient"
    source: str
    destination: str
    pause: Callable[[float], None]

    def start(self, *, rate: int | None) -> bool:
        """Return whether SQS does it; a task that runs already is this one, started before."""
        if self._newest().get("Status") == "RUNNING":
            return True
        options: Any = {"MaxNumberOfMessagesPerSecond": rate} if rate else {}
        try:
            self.sqs.start_message_move_task(
                SourceArn=self.source, DestinationArn=self.destination, **options
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_TASKS:
                return False
            raise
        return True

    def follow_progress(self) -> Iterator[RedriveProgress]:
        """Yield how far it has come until it ends."""
        while True:
            task = self._newest()
            failed = task.get("FailureReason") if task.get("Status") != "COMPLETED" else None
            yield RedriveProgress(task.get("ApproximateNumberOfMessagesMoved", 0), stopped=failed)
            if task.get("Status") not in {"RUNNING", "CANCELLING"}:
                return
            self.pause(POLL_SECONDS)

    def _newest(self) -> Any:
        try:
            return (self.sqs.list_message_move_tasks(SourceArn=self.source, MaxResults=1)["Results"] or [{}])[
                0
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] in NO_TASKS:
                return {}
            raise
