"""Starts what is not running of the local stack, and says where its parts answer."""

import json
import subprocess
import sys
from pathlib import Path

import boto3
from pydantic import BaseModel

from scripts.demo.failure import DemoError
from scripts.demo.wait import Depth

REPOSITORY = Path(__file__).resolve().parents[2]
STACK_FILE = REPOSITORY / ".local" / "stack.json"
QUEUE = "membus-local-extract"


class Stack(BaseModel):
    """What the demo needs of `.local/stack.json`."""

    endpoint_url: str
    api_url: str
    api_key: str


def running_stack() -> Stack:
    """Return the stack once `localstack up` says that all of it runs; its own output says what it does."""
    up = subprocess.run([sys.executable, "-m", "localstack", "up"], check=False, cwd=REPOSITORY)
    if up.returncode:
        raise DemoError("The local stack did not start; what it said is above. `make status` says what runs.")
    return Stack(**json.loads(STACK_FILE.read_text(encoding="utf-8")))


class ExtractQueue:
    """An operator's look at the queue before `extract`, and at its dead-letter queue."""

    def __init__(self, endpoint_url: str) -> None:
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (the emulator's operator: it opens nothing beyond this machine)
        )

    def depth(self) -> Depth:
        waiting, in_work, delayed = self._messages(QUEUE)
        return Depth(waiting, in_work, delayed, dead=sum(self._messages(f"{QUEUE}-dlq")))

    def _messages(self, queue: str) -> tuple[int, int, int]:
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        counts = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
            int(counts["ApproximateNumberOfMessagesDelayed"]),
        )
