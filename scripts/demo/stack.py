"""Starts what is not running of the local stack, and looks at it as its operator."""

from localstack import aws, cli, settings
from localstack.home import Home
from localstack.paths import LOCAL
from localstack.stack_file import Stack
from scripts.demo.failure import DemoError
from scripts.demo.wait import QueueDepth

QUEUE = "membus-local-extract"
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


def running_stack() -> Stack:
    """Return the stack once `localstack up` says that all of it runs; its own output says what it does."""
    code = cli.main(["up"])
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise DemoError("The local stack did not start; what it said is above. `make status` says what runs.")
    return Stack.read(Home(LOCAL).stack_file)


def model_is_a_stand_in() -> bool:
    """Say whether the stack's own model server answers.

    `up` calls the real one where there is a key for it.
    """
    return not settings.read_environment().get("ANTHROPIC_API_KEY")


class ExtractQueue:
    """The depth of both queues before `extract`, and of their dead-letter queue."""

    def __init__(self, endpoint_url: str) -> None:
        self._sqs = aws.session().client("sqs", endpoint_url=endpoint_url)

    def depth(self) -> QueueDepth:
        waiting, in_work, delayed = map(
            sum, zip(self._messages(QUEUE), self._messages(f"{QUEUE}-surplus"), strict=True)
        )
        return QueueDepth(waiting, in_work, delayed, dead=sum(self._messages(f"{QUEUE}-dlq")))

    def _messages(self, queue: str) -> tuple[int, int, int]:
        url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        counts = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
            int(counts["ApproximateNumberOfMessagesDelayed"]),
        )
