"""A user's messages in the queues where messages end.

Dead letters, what was parked, what a rule could not deliver.

A queue can be read, not searched: every message is received once, the user's are removed and all others
handed back.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from membus.aws.clients import translate_aws_errors
from membus.aws.dynamodb.keys import tenant_pk, user_pk
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS = 120
"""How long others cannot see what is being looked through; it is handed back sooner."""
WAIT_SECONDS = 1
"""So that all of a queue's servers are asked."""
MESSAGES_MAX = 20_000
"""Of one queue: an operator empties it long before."""

IsAbout = Callable[[Mapping[str, Any], Owner], bool]


class DeadLetterEraser:
    """`queues` are URLs by name.

    `names` says of an object in a message whether it is whose data is erased.
    """

    name = "messages"

    def __init__(
        self,
        client: "SQSClient",
        queues: Mapping[str, str],
        names: IsAbout | None = None,
        *,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._client, self._queues, self._names = client, queues, names or is_about_user
        self._wait_seconds = wait_seconds

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return self._walk(owner, step, remove=True)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return self._walk(owner, step, remove=False)

    def _walk(self, owner: Owner, step: ErasureStep, *, remove: bool) -> ErasureCount:
        found = 0
        for name in sorted(self._queues):
            if name <= step.cursor:
                continue
            found += self._through(self._queues[name], owner, remove=remove)
            if not step.time_left():
                return ErasureCount({"messages": found}, name)
        return ErasureCount({"messages": found})

    def _through(self, url: str, owner: Owner, *, remove: bool) -> int:
        found, others = 0, list[str]()
        try:
            for message in self._received(url):
                mine = any(self._names(each, owner) for each in _objects(message["Body"]))
                found += mine
                if mine and remove:
                    with translate_aws_errors("a queue of dead letters"):
                        self._client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                else:
                    others.append(message["ReceiptHandle"])
        finally:
            for receipt in others:
                with translate_aws_errors("a queue of dead letters"):
                    self._client.change_message_visibility(
                        QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
                    )
        return found

    def _received(self, url: str) -> Iterator[Any]:
        for _ in range(0, MESSAGES_MAX, 10):
            with translate_aws_errors("a queue of dead letters"):
                answer = self._client.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=HIDDEN_SECONDS,
                    WaitTimeSeconds=self._wait_seconds,
                )
            if not answer.get("Messages"):
                return
            yield from answer["Messages"]


def is_about_user(said: Mapping[str, Any], owner: Owner) -> bool:
    """Whether an object is about a user: an event, a turn, or a change of one of the user's items."""
    if (said.get("tenant_id"), said.get("user_id")) == (owner.tenant, owner.user):
        return True
    message = said.get("message")  # a turn that failed in an invocation of its own
    if (
        said.get("tenant") == owner.tenant
        and isinstance(message, dict)
        and message.get("author") == owner.user
    ):
        return True
    keys = (said.get(name) for name in ("pk", "user_pk"))
    return any(isinstance(key, dict) and key.get("S") == user_pk(owner) for key in keys)


def is_about_tenant(said: Mapping[str, Any], owner: Owner) -> bool:
    """Whether an object is about anybody of a tenant."""
    if owner.tenant in (said.get("tenant_id"), said.get("tenant")):
        return True
    key = said.get("pk")
    return isinstance(key, dict) and f"{key.get('S')}#".startswith(f"{tenant_pk(owner.tenant)}#")


def _objects(body: str) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a message, also those that lie in it as text.

    What is no JSON, or too deep, holds none.
    """
    waiting: list[Any] = [body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and each.lstrip().startswith(("{", "[")):
            with suppress(ValueError, RecursionError):
                waiting.append(json.loads(each))
