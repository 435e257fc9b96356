"""Both ways out of a dead-letter queue: a task of SQS, or sending each message again and deleting it."""

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
"""Sends a message on; InvalidError if it can never be sent, UnavailableError if it cannot be sent now."""
NO_TASKS = {"InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"}
TEMPORARY = {"InternalFailure", "InternalException", "ThrottlingException"}
POLL_SECONDS = 2.0


@dataclass
class RedriveProgress:
    """`left` are messages that stay, with the reason; `stopped` is why the run ended early."""

    moved: int = 0
    left: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None


def send_each(
    reader: QueueReader, wanted: DeadLetterFilter, send: Send, *, limit: int | None, pace: Callable[[], None]
) -> Iterator[RedriveProgress]:
    """Send the matching messages and delete them; yields the progress after each.

    A message that was sent and not deleted is sent again by the next run: an event is known by its id.
    """
    done = RedriveProgress()
    for letter in islice((each for each in reader if each in wanted), limit):
        try:
            send(letter)
            reader.delete_message(letter)
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
        with translate_aws_errors("the destination queue"):
            sqs.send_message(QueueUrl=url, MessageBody=letter.body)

    return send


def bus_sender(events: "EventBridgeClient", bus: str) -> Send:
    """Return what publishes an event with its own source, type and time, so that every rule sees it again."""

    def send(letter: DeadLetter) -> None:
        event = letter.parsed_body
        try:
            entry: Any = {
                "EventBusName": bus,
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
                "Time": event["time"],
            }
        except KeyError as error:
            raise InvalidError(f"the event has no {error.args[0]}") from error
        with translate_aws_errors("the bus"):
            (answer,) = events.put_events(Entries=[entry])["Entries"]
        if code := answer.get("ErrorCode"):
            raise (UnavailableError if code in TEMPORARY else InvalidError)(f"the bus refuses it: {code}")

    return send


@dataclass(frozen=True)
class MoveTask:
    """A move task of SQS, which goes on when this process ends; `pause` waits for so many seconds."""

    sqs: "SQSClient"
    source: str
    destination: str
    pause: Callable[[float], None]

    def start(self, *, rate: int | None) -> bool:
        """Return whether SQS moves the messages; a task that runs already counts as this one."""
        if self._newest().get("Status") == "RUNNING":
            return True
        options: Any = {"MaxNumberOfMessagesPerSecond": rate} if rate else {}
        start = self.sqs.start_message_move_task
        return bool(_ask(lambda: start(SourceArn=self.source, DestinationArn=self.destination, **options)))

    def follow_progress(self) -> Iterator[RedriveProgress]:
        """Yield the progress until the task ends."""
        while True:
            task = self._newest()
            failed = task.get("FailureReason") if task.get("Status") != "COMPLETED" else None
            yield RedriveProgress(task.get("ApproximateNumberOfMessagesMoved", 0), stopped=failed)
            if task.get("Status") not in {"RUNNING", "CANCELLING"}:
                return
            self.pause(POLL_SECONDS)

    def _newest(self) -> Any:
        answer = _ask(lambda: self.sqs.list_message_move_tasks(SourceArn=self.source, MaxResults=1))
        return (answer.get("Results") or [{}])[0]


def _ask(call: Callable[[], Any]) -> Any:
    """Return the answer of SQS, empty if it has no move tasks (the emulator)."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in NO_TASKS:
            return {}
        raise
