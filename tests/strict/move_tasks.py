"""SQS' message move tasks, which no emulator knows.

All of a dead-letter queue at once, and only of a queue's own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

Answer = tuple[AWSResponse, dict[str, Any]]


class MoveTasks:
    """`asked` is what tasks were started with; a task moves everything before it answers."""

    def __init__(self, sqs: Any) -> None:
        self.sqs, self.asked, self._moved = sqs, list[dict[str, Any]](), list[dict[str, Any]]()

    def start(self, *, params: dict[str, Any], **_: object) -> Answer:
        asked = json.loads(params["body"])
        source, destination = (self._url(asked[name]) for name in ("SourceArn", "DestinationArn"))
        if not self.sqs.list_dead_letter_source_queues(QueueUrl=source)["queueUrls"]:
            return _answer(
                {"Error": {"Code": "UnsupportedOperation", "Message": "its source is no SQS queue"}}, 400
            )
        self.asked.append(asked)
        moved = 0
        while found := self.sqs.receive_message(QueueUrl=source).get("Messages"):
            self.sqs.send_message(QueueUrl=destination, MessageBody=found[0]["Body"])
            self.sqs.delete_message(QueueUrl=source, ReceiptHandle=found[0]["ReceiptHandle"])
            moved += 1
        self._moved.insert(0, {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": moved})
        return _answer({"TaskHandle": "task"}, 200)

    def list(self, **_: object) -> Answer:
        return _answer({"Results": self._moved[:1]}, 200)

    def _url(self, arn: str) -> str:
        url: str = self.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        return url


@contextmanager
def move_tasks(sqs: Any) -> Iterator[MoveTasks]:
    """Let this client start and list tasks."""
    tasks = MoveTasks(sqs)
    sqs.meta.events.register_first("before-call.sqs.StartMessageMoveTask", tasks.start)
    sqs.meta.events.register_first("before-call.sqs.ListMessageMoveTasks", tasks.list)
    yield tasks


def _answer(parsed: dict[str, Any], status: int) -> Answer:
    return AWSResponse("https://strict", status, HTTPHeaders(), None), parsed
